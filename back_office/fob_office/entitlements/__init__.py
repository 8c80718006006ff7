"""Entitlements: what a person may do at a server, changed while it is used and without registering again (R21, R22)."""
