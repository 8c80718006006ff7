"""The validation server: it appraises what holders say of their copies, and answers each request once (V11 to V23)."""
