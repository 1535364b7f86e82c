"""The judge: what is declared, the register and a date give verdicts; it reads nothing else."""
