"""Who asks for the use of a key: the programs, and what they ask for (docs/protocol.md, section 4.1)."""
