"""Usage watch: how often, when and how each copy is used, and rules that find what is odd (V20)."""
