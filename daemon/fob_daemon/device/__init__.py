"""A paired device as the PC sees it: its registry entry, its commands, the cache of its public objects, its logins."""
