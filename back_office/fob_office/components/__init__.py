"""Components and their releases: what devices can be given (C7, C8)."""
