"""Every bound on what one application may use, each with its reason."""

from typing import Final

KIB: Final = 1024

# The chattiest client, p11tool, opens one session per object; a leak ends here.
SESSIONS_LIMIT: Final = 1024

# TLS libraries keep a secret per connection; each has at most TEXT_LIMIT octets.
SESSION_OBJECTS_LIMIT: Final = 1024

# Every object of the largest cache, and every session object.
FOUND_LIMIT: Final = 16_384

# Handles of objects that are gone stay until so many were given out.
HANDLES_LIMIT: Final = 32_768

# PKCS#11 v2.40 has about 110 attribute types.
TEMPLATE_LIMIT: Final = 256

# What one attribute of a session object may hold: the largest certificate with room.
ATTRIBUTE_SIZE_LIMIT: Final = 64 * KIB

# EdDSA signs the message and not a digest, so that all of it crosses the link: TEXT_LIMIT less the command around it.
MESSAGE_LIMIT: Final = 60 * KIB

# AES-GCM shows no plaintext before the tag is checked, so that all of it waits here.
GCM_LIMIT: Final = 64 * KIB * KIB

# One answer of the link (65,536 octets) with room for its frame.
RANDOM_PART: Final = 60 * KIB
# As much as a file of random octets for a test has; a line at 115,200 baud needs a minute and a half for it.
RANDOM_LIMIT: Final = KIB * KIB

# Arithmetic on more than this leaves the event loop: SHA-256 of it takes 0.2 ms, a thread's round trip about 0.1 ms.
INLINE_LIMIT: Final = 64 * KIB

# RSA keys up to this verify in 0.2 ms, inline; larger ones in a thread; beyond the second bound none.
INLINE_MODULUS_BITS: Final = 4096
MODULUS_BITS_LIMIT: Final = 8192
# An exponent as long as the modulus makes a verification as slow as a signature.
EXPONENT_BITS_LIMIT: Final = 64

# Secret keys that are made on the PC, in octets.
SECRET_SIZE_LIMIT: Final = 4 * KIB

# Seconds: a client that tries by other calls does so at once; a person who wants to be asked again takes longer.
REFUSAL_TIME: Final = 3.0
