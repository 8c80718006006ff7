"""`fob-office centre`: a data centre that keeps meters, beside an office."""
