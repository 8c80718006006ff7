"""The servers that devices speak to: what each may do, its keys, and the epochs that these go through (R3, R27)."""
