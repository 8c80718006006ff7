"""The postal side: what is on a piece is read and judged (M26, M27)."""
