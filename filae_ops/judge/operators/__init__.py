"""How a declared value is judged: the operators that the register names."""
