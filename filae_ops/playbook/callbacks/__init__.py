"""Plugins that ansible-playbook loads."""
