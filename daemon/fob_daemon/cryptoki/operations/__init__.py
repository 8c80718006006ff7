"""Cryptographic operations: what happens on the PC, and what goes to the device as one request (P9)."""
