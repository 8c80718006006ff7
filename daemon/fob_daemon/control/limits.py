"""Every bound on what a client of the control socket may ask for, with its reason. Sizes in bytes, times in seconds."""

from dataclasses import dataclass
from typing import Final

from fob_protocol.limits import ID_LIMIT, LABEL_LIMIT, NAME_LIMIT

# The largest body has what an application of the back office is sent (8,192 octets, in hexadecimal) and its address.
MAX_BODY: Final = 32_768
# Method, path and query of the longest request; `fob` sends no header of its own.
MAX_LINE: Final = 4096
MAX_HEADERS: Final = 32
MAX_HEADER: Final = 2048

# As devices have them: names in characters, a key's label and id in octets.
MAX_NAME: Final = NAME_LIMIT
MAX_LABEL: Final = LABEL_LIMIT
MAX_KEY_ID: Final = ID_LIMIT
# What Cryptoki programs can pass on; the device says what it takes.
MAX_PIN: Final = 255
# A serial path or a host name.
MAX_URL: Final = 512
# A page of the log that a person still reads; a script asks again with `since`.
MAX_LOG: Final = 1000
DEFAULT_LOG: Final = 50
# A sequence number never gets near this.
MAX_SEQUENCE: Final = 2**63 - 1

# Seconds that a scan listens: a device advertises several times a second, a person waits no longer than the most.
DEFAULT_SCAN: Final = 4
MAX_SCAN: Final = 10

# Values of a component's command; a person types them.
MAX_VALUES: Final = 64

# A letter has 56 characters and dashes; a person may type spaces too.
MAX_LETTER: Final = 256

# A server's certificate has some 250 octets.
MAX_CERTIFICATE: Final = 4096

# Keys of one device that an answer lists.
MAX_KEYS: Final = 4096

# Events that a slow reader has not taken; older ones are dropped and counted. Who begins to follow is told of every
# open question at once: 256 requests of a phone may wait for its person.
MAX_EVENTS_WAITING: Final = 512


@dataclass(frozen=True, slots=True)
class Limits:
    """What all clients together may use, and for how long."""

    # `fob` opens one or two for the time of a command; a desktop applet keeps one. In a full house the one that
    # has been idle longest makes room, so that only this many requests under way refuse one more.
    max_connections: int = 64
    # Streams stay: fewer than connections, so that a plain request always finds room.
    max_streams: int = 16
    # An idle connection, or one that does not finish its request's head.
    idle_time: float = 15.0
    # A body is one packet on a Unix socket.
    body_time: float = 5.0
    # A stream says something at least this often, so that both sides notice an end.
    heartbeat: float = 15.0
    # Longest time that the configuration allows a device, and a little more.
    request_time: float = 660.0
    # A stream gets this long to end when the daemon stops.
    stop_time: float = 0.25
