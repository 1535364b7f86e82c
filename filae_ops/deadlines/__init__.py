"""What ends when: support, certificates, keys."""
