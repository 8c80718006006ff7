"""Starts the processes of a data centre, watches them, and says which meter box owns which meters (M3, M34)."""
