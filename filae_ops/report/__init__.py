"""Documents for those who review, decide and sign."""
