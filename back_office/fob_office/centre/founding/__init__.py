"""A data centre is made: folders, keys, passes, the first view, and what function servers are told."""
