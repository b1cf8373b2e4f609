"""How often a caller may start work: exact sliding windows."""
