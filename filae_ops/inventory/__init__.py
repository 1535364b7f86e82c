"""What is declared about a site: the typed model, its loading and its first draft."""
