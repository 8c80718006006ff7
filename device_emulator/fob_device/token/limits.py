"""Every bound of the token, each with its reason."""

from typing import Final

from fob_protocol import limits

# A PIN is counted in octets. The most that protects a weak one is its try counter.
PIN_MIN: Final = 4
PIN_MAX: Final = 64
USER_TRIES: Final = 3
# The SO's PIN is long and machine-kept; its counter guards against scripts, and locking it is final.
SO_TRIES: Final = 10

# CK_TOKEN_INFO.label is 32 octets.
TOKEN_LABEL_LIMIT: Final = 32
ROOT_KEY_SIZE: Final = 32

# Enough for every certificate and key of a person; a computer reads all of it in a few dozen pages.
OBJECT_LIMIT: Final = 4096
# Session objects live in the phone's memory.
SESSION_OBJECT_LIMIT: Final = 256
# Handles of session objects begin here, so that they never meet a token object's.
SESSION_HANDLE_BASE: Final = 1 << 20

LABEL_LIMIT: Final = limits.LABEL_LIMIT
ID_LIMIT: Final = limits.ID_LIMIT
# Distinguished names; with a value of the largest size an object still fits one answer of the link (65,536 octets).
NAME_LIMIT: Final = 4096
# Certificates are 1 to 4 KiB; data objects of clients are smaller.
VALUE_LIMIT: Final = 32 * 1024
# More than the mechanisms that exist here.
ALLOWED_MECHANISMS_LIMIT: Final = 64
# The longest number: an RSA-4096 modulus.
NUMBER_LIMIT: Final = 512
# A DER octet string with an uncompressed P-521 point takes 136.
POINT_LIMIT: Final = 160
EC_PARAMS_LIMIT: Final = 64

RSA_MIN_BITS: Final = 2048
RSA_MAX_BITS: Final = 4096
EC_MIN_BITS: Final = 256
EC_MAX_BITS: Final = 521
ED25519_BITS: Final = 255

# The longest request text of the link; Ed25519 reads the whole message.
MESSAGE_LIMIT: Final = 65_536
# SharedInfo of the ANSI X9.63 derivation is a few names; the derived key is at most a few AES and MAC keys.
SHARED_DATA_LIMIT: Final = 4096
DERIVED_LIMIT: Final = 512
RANDOM_LIMIT: Final = 64 * 1024

# Live tickets: more computers than a phone is paired with. The oldest goes first.
TICKET_LIMIT: Final = 16
TICKET_SIZE: Final = 32
TICKET_SECONDS: Final = 12 * 3600
# Applications of one computer that are logged in at once.
LOGIN_LIMIT: Final = 256
