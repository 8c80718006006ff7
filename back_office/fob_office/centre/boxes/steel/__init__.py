"""The steel box: makes what new meters and mailers need, and is not asked when money moves (M4, M8)."""
