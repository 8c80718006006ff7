"""Service `directory`: which servers there are, and which keys no longer (R3, R7)."""
