"""`fob monitor`: what is known, how it is laid out, and the terminal that shows it."""
