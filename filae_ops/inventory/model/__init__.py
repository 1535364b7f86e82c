"""The typed model of an inventory: a file for each theme, and the rules between them."""
