"""The gateway: looks at every request to an application where it arrives (R23)."""
