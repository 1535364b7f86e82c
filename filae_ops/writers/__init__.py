"""Values parsed, and the lines that other programs read, one writer for each grammar; needs nothing but Python."""
