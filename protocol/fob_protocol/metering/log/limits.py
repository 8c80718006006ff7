"""Every bound of the log, with its reason. Sizes in octets."""

from typing import Final

# Leaves: 20,000 a second for four centuries. A proof has as many hashes as there are levels, and one.
LEVELS_LIMIT: Final = 48
SIZE_LIMIT: Final = 1 << LEVELS_LIMIT
PROOF_LIMIT: Final = LEVELS_LIMIT + 1

# What is recorded: a transaction record with 64 indicia is the longest.
CONTENT_LIMIT: Final = 60_000

# A signed checkpoint: a name of 32 characters, a hash, two numbers and COSE's headers are 181 at most.
CHECKPOINT_LIMIT: Final = 512

# Transaction boxes that ever signed; the head of an exported log holds a key of each.
KEYS_LIMIT: Final = 256
