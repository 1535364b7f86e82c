"""The trees of the releases, the gems that they are locked to, and the packages of Debian that they need."""
