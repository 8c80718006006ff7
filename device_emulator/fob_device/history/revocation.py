"""A grant that was taken back, in the history."""

from fob_device.approval.grants import Grant
from fob_protocol.deeds import deed
from fob_protocol.history.entry import Entry, Kind


def revocation(grant: Grant) -> Entry:
    """What it had allowed."""
    question = grant.question
    words = deed(question.operation.value, question.caller)
    return Entry(
        Kind.GRANT_REVOKED, caller=question.caller, key_label=question.key_label, key=question.key, words=words
    )
