"""What was done at the office, for its operator: who, what, when, and never a secret."""
