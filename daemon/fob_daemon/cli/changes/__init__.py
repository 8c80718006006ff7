"""Changes to a person's files: shown before they are made, made once, and undone."""
