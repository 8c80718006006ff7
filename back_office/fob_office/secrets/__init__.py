"""The office's own secrets: the master key, and what is sealed under it at rest."""
