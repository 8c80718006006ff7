"""What can be wrong with octets that the other side sent. Each is the sender's fault, never ours."""


class ProtocolError(Exception):
    """The peer sent something that `docs/protocol.md` does not allow; the text names the rule."""


class AtSyntaxError(ProtocolError):
    """A command line, an answer or a value list does not parse."""


class HandshakeError(ProtocolError):
    """A pairing or session handshake cannot go on: wrong key, wrong commitment, wrong length."""


class RecordError(ProtocolError):
    """A record does not open: damaged, replayed in another place, or forged."""
