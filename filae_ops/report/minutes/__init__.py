"""The minutes of a verification."""
