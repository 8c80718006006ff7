"""Programs whose copies are known one by one: every release, and installations that an operator has added (V5)."""
