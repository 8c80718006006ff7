"""Registration: a device and a server come to share a key that nobody else knows (R7 to R18, R25, R26)."""
