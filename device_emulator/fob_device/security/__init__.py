"""The security manager (P6): the only door from the link to the token."""
