"""How an application runs: its units and their sandbox, its launcher, its credentials, its health."""
