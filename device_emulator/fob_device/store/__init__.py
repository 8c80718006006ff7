"""What the phone remembers: one SQLite file whose every transaction survives a power cut."""
