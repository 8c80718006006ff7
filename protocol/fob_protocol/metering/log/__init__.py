"""The witnessed log: a Merkle tree over what meters did, and its checkpoints (docs/meter-protocol.md, section 7)."""
