"""The front door: nginx, what it serves of a release, the maintenance page, and what is proved through it."""
