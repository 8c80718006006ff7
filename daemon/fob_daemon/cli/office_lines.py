"""What `fob status` says of devices and their offices, when there is something to know."""

from collections.abc import Iterator
from typing import Any

from fob_daemon.cli.context import Fob
from fob_daemon.cli.copy_words import refusal_words

Report = dict[str, Any]


def office_lines(fob: Fob, devices: list[Report]) -> list[str]:
    """What there is to know of devices (of the status) and their offices, a line each; no round trip."""
    configured: Report = fob.client.get("office")
    here = {device["name"] for device in devices if device["state"] == "ready"}
    return [
        f"'{relay['device']}' {words}"
        for relay in configured["relays"]
        for words in _to_know(relay, is_here=relay["device"] in here)
    ]


def own_copy_lines(fob: Fob) -> Iterator[str]:
    """What there is to know of this computer's own copy of fobd."""
    yield from own_copy_trouble(fob.client.get("integrity"))


def own_copy_trouble(own: Report) -> Iterator[str]:
    """What is the matter with it, where something is."""
    if not own["enabled"]:
        yield f"fobd uses no key of any phone: {own['why']}    try: {own['next']}"
    elif own["why"]:
        yield f"fobd was not validated: {own['why']}    try: {own['next']}"


def _to_know(relay: Report, *, is_here: bool) -> Iterator[str]:
    doing = relay["doing"]
    if doing and is_here:
        percent = f", {100 * doing['done'] // doing['total']} %" if doing["total"] else ""
        yield f"is {doing['words']}{percent}    to watch: fob monitor"
    elif relay["why"]:
        yield f"had no answer from its office: {relay['why']}    try: fob office status"
    for program, state in sorted(relay["refused"].items()):
        words, deed = refusal_words(state, program)
        yield f"does not let '{program}' run: {words}    try: {deed}"
    if relay["newer"]:
        count = "1 component" if relay["newer"] == 1 else f"{relay['newer']} components"
        yield f"has newer versions of {count}    try: fob office configure"
