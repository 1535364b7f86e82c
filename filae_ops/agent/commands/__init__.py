"""The commands of filaectl, a file each."""
