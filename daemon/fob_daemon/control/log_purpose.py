"""What a key was used for, as an entry of the log says it."""

from enum import StrEnum


class LogPurpose(StrEnum):
    """As far as the data tells (docs/protocol.md, section 4.1)."""

    UNKNOWN = "unknown"
    LOGIN = "login"
    SIGNATURE = "signature"
    TLS_CLIENT = "tls-client"
