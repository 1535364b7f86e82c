"""The newcomer's two commands: the demonstration and the test suite."""
