"""This computer's own copy of fobd: measured, validated, and what follows from it (docs/integrity-protocol.md)."""
