"""Sessions: both sides prove what they share, and then speak under keys that nothing else opens (R19, R20, R28)."""
