"""A release bundle on the machine: received, its signature and archive checked, its contract read."""
