"""Every bound on what a client of the agent socket may ask for, each with its reason."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024

# One message without its length, in both directions: what OpenSSH's agent and its clients accept.
MAX_MESSAGE: Final = 256 * KIB

# Sessions that a connection can be bound to, one a hop of a forwarded agent: OpenSSH's own bound.
MAX_BINDINGS: Final = 16
# A session identifier is a hash; OpenSSH's own bound.
MAX_SESSION_ID: Final = 128

# Programs `ssh` whose own session is known: each is needed while it logs in.
MAX_LOGINS: Final = 1024

# Of each known_hosts file: some ten thousand hosts.
MAX_KNOWN_HOSTS: Final = 4 * 1024 * KIB

# One C_FindObjects; the rest comes by asking again.
FIND_BATCH: Final = 256
# Key objects of one class on one token that are looked at; OpenSSH's clients take 2048 identities at most.
MAX_KEYS: Final = 2048
# The longest signature, of an RSA key of 16384 bits.
MAX_SIGNATURE: Final = 2048

# Wait after each wrong unlock passphrase, in seconds: it grows by this with every one, up to the longest.
UNLOCK_WAIT: Final = 0.1
LONGEST_UNLOCK_WAIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, and all of them, may use. Times in seconds."""

    # An `ssh` keeps a connection while it authenticates, or as long as it lasts when it forwards the agent.
    max_connections: int = 128
    # A person needs about a minute to find the phone and approve.
    request_timeout: float = 90.0
