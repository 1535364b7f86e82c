"""What is looked at, and refused, before anything changes; and the preview of a transaction."""
