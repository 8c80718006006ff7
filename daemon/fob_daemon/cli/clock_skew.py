"""How far a phone's clock is from this computer's, by a use of a key that both have written down."""

from typing import Any, Final

from fob_daemon.cli.context import Fob
from fob_daemon.control.errors import ControlError

# The newest uses that are compared; the phone may have written down those of other computers between them.
COMPARED: Final = 20

_USES: Final = ("sign", "decrypt", "derive")


def skew_of(fob: Fob, device: dict[str, Any]) -> float | None:
    """Seconds that the phone's clock is ahead, at least; None where nothing tells."""
    ours = [
        float(entry["time"])
        for entry in fob.client.get("log", limit=COMPARED)["entries"]
        if entry["device"] == device["name"] and entry["operation"] in _USES and entry["result"] == "OK"
    ]
    if not ours:
        return None
    theirs = _times_of_phone(fob, device)
    if not theirs:
        return None
    # The phone's newest use is one of ours, whichever: the nearest is no further off than the right one.
    return min((theirs[-1] - time for time in ours), key=abs)


def _times_of_phone(fob: Fob, device: dict[str, Any]) -> list[float]:
    # Loaded for this: cryptography takes as long as all the rest of the doctor.
    from fob_daemon.cli.history_json import entry_of
    from fob_daemon.cli.history_reader import read_newest
    from fob_protocol.history.entry import Kind, Outcome

    try:
        entries = [entry_of(record) for record in read_newest(fob, device, COMPARED)[0]]
    except ControlError:
        return []
    return [
        float(entry.time)
        for entry in entries
        if entry is not None and (entry.kind, entry.outcome) == (Kind.USE, Outcome.APPROVED)
    ]
