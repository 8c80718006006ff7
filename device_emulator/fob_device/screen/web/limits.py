"""What a browser may send to the screen's page, and how much of it at once."""

from typing import Final

# Octets of a form: a registration's 16 fields of 256 octets, each of which is written as `%XX`, and their names.
BODY_LIMIT: Final = 16_384
FIELDS_LIMIT: Final = 16
# Octets of a request's first line and of a header; the token's address is short, and a browser's longest header is not.
LINE_LIMIT: Final = 1024
HEADER_LIMIT: Final = 4096
HEADERS_LIMIT: Final = 64

# A browser opens six at a time; whoever has been idle longest makes room.
CONNECTIONS_LIMIT: Final = 32
# Windows that are kept fresh; each holds a connection.
STREAMS_LIMIT: Final = 8

# Seconds.
IDLE_TIME: Final = 60.0
HEARTBEAT: Final = 15.0
STOP_TIME: Final = 1.0
# For a form to arrive: it comes from this machine.
BODY_TIME: Final = 10.0

# Octets of the address's token: nobody guesses 256 bits.
TOKEN_SIZE: Final = 32

# Entries of the history on a page, and uses of keys on the first one.
HISTORY_PAGE: Final = 50
RECENT: Final = 3
