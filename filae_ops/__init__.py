"""filae-ops: deploy and operate Filaé, and prove that each party does its part."""

__version__ = "0.1.0"
