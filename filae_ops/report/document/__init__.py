"""What every document is made of: blocks, words, templates, Markdown."""
