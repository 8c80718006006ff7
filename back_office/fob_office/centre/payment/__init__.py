"""The payment provider: who takes mailers' money and gives it back, and an emulated one (M29)."""
