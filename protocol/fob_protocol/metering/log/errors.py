"""What can be wrong with what is said of a log."""

from fob_protocol.errors import ProtocolError


class LogError(ProtocolError):
    """An entry or a checkpoint of another shape, or signed by nobody who is trusted."""


class ProofError(LogError):
    """What is claimed of the tree does not follow from the hashes that are given: something is not as it was."""
