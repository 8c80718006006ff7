"""Every bound on what a client of the provider socket may ask for, each with its reason."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB

# The newest protocol version we speak; a connection uses the smaller of this and what the client offers.
NEWEST_VERSION = 2

# The longest template of a real program has about 25 attributes; PKCS#11 v2.40 knows about 110.
MAX_ATTRIBUTES = 256

# CKA_ALLOWED_MECHANISMS names mechanisms of one key; the whole of PKCS#11 v2.40 has about 330.
MAX_MECHANISMS = 512

# p11-kit's own bound on templates within templates.
MAX_TEMPLATE_DEPTH = 8

# One C_FindObjects reply; a client that asks for more calls again.
MAX_FOUND = 4096

# One C_GenerateRandom reply.
MAX_RANDOM = MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, and all of them, may use. Sizes in bytes, times in seconds."""

    # Single-part C_Sign and C_Encrypt carry the whole input; larger inputs come as updates.
    max_body: int = 16 * MIB
    # Options carry the module's name.
    max_options: int = 4 * KIB
    # Each thread of a client has at most one call under way.
    max_pending_calls: int = 64
    # Requests that wait for an answer are kept in memory; no more is read beyond this.
    max_pending_input: int = 32 * MIB
    # Replies that a client does not read; it loses the connection beyond this.
    max_pending_output: int = 32 * MIB
    # One connection per program that uses the token.
    max_connections: int = 128
    # The client sends its version byte at once.
    handshake_timeout: float = 10.0
    # The client itself never gives up; a person needs about a minute to find the phone and approve.
    call_timeout: float = 90.0
