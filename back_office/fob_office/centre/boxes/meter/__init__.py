"""The meter box: keeps what each meter's newest record is, and alone changes it (M20, M21, M34)."""
