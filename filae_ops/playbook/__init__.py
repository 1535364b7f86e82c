"""Running ansible-playbook: its command line, its events, its failures as refusals."""
