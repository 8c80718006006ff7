"""What `fob status` says of devices and their offices, when there is something to know."""

from collections.abc import Iterator
from typing import Any

from fob_daemon.cli.context import Fob

Report = dict[str, Any]


def office_lines(fob: Fob) -> list[str]:
    """What there is to know of devices and their offices, a line each; no round trip."""
    configured: Report = fob.client.get("office")
    return [f"'{relay['device']}' {words}" for relay in configured["relays"] for words in _to_know(relay)]


def _to_know(relay: Report) -> Iterator[str]:
    if relay["busy"] and relay["words"]:
        steps = f", {relay['done']} of {relay['total']}" if relay["total"] else ""
        yield f"is {relay['words']}{steps}    to watch: fob monitor"
    elif relay["why"]:
        yield f"had no answer from its office: {relay['why']}    try: fob office status"
    if relay["newer"]:
        count = "1 component" if relay["newer"] == 1 else f"{relay['newer']} components"
        yield f"has newer versions of {count}    try: fob office configure"
