"""What the commands of filaectl do: before a transaction is asked for, within its unit, and beside it."""
