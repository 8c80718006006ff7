"""Bounds of the integrity protocol, each with its reason. Sizes in octets, times in seconds."""

from typing import Final

IDENTIFIER_SIZE: Final = 32
CHALLENGE_SIZE: Final = 32
IV_SIZE: Final = 16
SEED_SIZE: Final = 32

# From challenge to VAL_REQ: a slow line and a person who looks elsewhere.
CHALLENGE_TIME: Final = 300
# One that came with VAL_OK is used for so long: a minute for the request that it is used in.
CHALLENGE_AGE: Final = CHALLENGE_TIME - 60
# How old a request may be when it comes.
VALIDATION_TIME: Final = 300
# A letter is typed within a month, or written anew.
LETTER_TIME: Final = 30 * 86_400
# Clocks of strangers differ by so much.
CLOCK_SKEW: Final = 60

# Programs that one holder asks about at once: a set's components and the holder's own.
HOLDINGS_LIMIT: Final = 40
# Copies of other versions that a holder remembers for when one runs again, the newest ones.
OTHERS_LIMIT: Final = 4
# Read and hashed at once: large enough to cost nothing, small enough for a small device.
PIECE_SIZE: Final = 1 << 18
# Of an installation: more than any release of ours has, and what a hostile folder may cost.
FILES_LIMIT: Final = 10_000
FILE_NAME_LIMIT: Final = 512
INSTALLATION_LIMIT: Final = 256 << 20
# A ticket or presentation that a stranger shows.
TICKET_LIMIT: Final = 2048
PRESENTATION_LIMIT: Final = 4096
NONCE_LEAST: Final = 16
NONCE_MOST: Final = 64
AUDIENCE_LIMIT: Final = 128
# Tickets that a relying party need not verify again, 3 kilobytes each at most.
REMEMBERED: Final = 4096
