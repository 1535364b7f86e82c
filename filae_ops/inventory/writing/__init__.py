"""Writing an inventory: its first draft, and the schema that editors check it with."""
