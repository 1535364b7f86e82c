"""The steps of the transactions, a file each or a family, and their catalogue."""
