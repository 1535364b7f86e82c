"""What changed between two inventories of one site."""
