"""filaectl, the agent on the machine: standard library only, shipped as a zipapp."""
