"""Reading an inventory: two readers, one truth, and every problem with file and line."""
