"""Every bound of the history, with its reason. Sizes in octets."""

from typing import Final

# Records that a device keeps: a year of thirty uses a day, 3 MB of its storage, a second for a PC to check.
HISTORY_LIMIT: Final = 10_000

# One answer's share of records: nine seconds of a 9,600 baud line, so that a progress bar moves.
HISTORY_PAGE: Final = 8_192

# The longest names that there are, eight programs, a host and a key's label, all of four-octet characters.
DETAILS_LIMIT: Final = 4_096

# Keeps details from being guessed by their digest.
SALT_SIZE: Final = 16

# Nobody guesses it, and none comes twice.
HISTORY_NONCE: Final = 32

# What a computer is called in details: enough of a digest that no two are alike.
COMPUTER_SIZE: Final = 16

# SHA-256; Ed25519 (RFC 8032).
HASH_SIZE: Final = 32
KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64

# Of the program that did something: SHA-256, or HMAC with it.
INTEGRITY_VALUE_SIZE: Final = 32

# Three values of the largest size with their heads.
RECORD_LIMIT: Final = 128

# Characters of an entry's free words.
WORDS_LIMIT: Final = 128
