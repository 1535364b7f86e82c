"""The flow matrix."""
