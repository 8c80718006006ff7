"""Function servers: they sign mailers on, dispense, and keep nothing (M2, M18)."""
