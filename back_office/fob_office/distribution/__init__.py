"""The distribution server: who holds which copy, and by which unique identifier it is known (V1, V3, V6)."""
