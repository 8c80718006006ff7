"""How the processes of the data centre speak with one another (docs/meter-protocol.md, section 1)."""
