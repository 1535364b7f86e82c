"""The small types that an inventory is made of."""
