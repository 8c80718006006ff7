"""The transaction box: vouches for money that came, for what was done, and for the log (M4, M6, M29)."""
