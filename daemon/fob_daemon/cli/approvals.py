"""`fob approvals`: what the phone allows for a while without asking again, seen and taken back."""

from typing import Any

import click

from fob_daemon.cli.completing import complete_grant
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.durations import time_left
from fob_daemon.control.errors import ControlError, ExitCode

Grants = list[dict[str, Any]]


@click.group()
def approvals() -> None:
    """What the phone allows for a while without asking again.

    A yes on the phone may be remembered: for the same program, key, operation and host, for the time that was chosen
    there. It can be taken back here and on the phone.
    """


@approvals.command("list", short_help="List what is allowed now, and for how long.")
@device_option
@json_option
@click.pass_obj
def list_command(fob: Fob, device: str | None) -> None:
    """List what is allowed now, with its number, what for, and the time left.

    Of the only device or of all of them; asking costs each a round trip.
    """
    grants, unasked = _read(fob, device)
    if fob.output.is_json:
        fob.output.data({"grants": grants, "unasked": unasked})
        return
    if not grants:
        fob.output.say("The others allow nothing without asking." if unasked else "Nothing is allowed without asking.")
    rows = [(grant["number"], time_left(grant["seconds"]), grant["device"], grant["words"]) for grant in grants]
    fob.output.table(("NUMBER", "TIME LEFT", "DEVICE", "WHAT FOR"), rows)


@approvals.command("revoke", short_help="Take one back, or all: the phone asks again.")
@click.argument("number", type=click.IntRange(1), required=False, shell_complete=complete_grant)
@click.option("--all", "is_all", is_flag=True, help="All of them; of every device unless one is named.")
@device_option
@json_option
@click.pass_obj
def revoke_command(fob: Fob, number: int | None, is_all: bool, device: str | None) -> None:
    """Take one back by its NUMBER from the list, or --all: the phone asks again from now on."""
    if is_all == (number is not None):
        raise click.UsageError("a NUMBER from `fob approvals list`, or --all")
    revoked = _revoke_all(fob, device) if number is None else _revoke(fob, fob.device(device)["name"], str(number))
    if fob.output.is_json:
        fob.output.data({"revoked": revoked})
        return
    for grant in revoked:
        fob.output.say(f"'{grant['device']}' asks again for what number {grant['number']} allowed.")


def _revoke_all(fob: Fob, device: str | None) -> Grants:
    grants, unasked = _read(fob, device)
    if not grants and unasked:
        raise ControlError("nothing was revoked", unasked[0]["why"], unasked[0]["next"], ExitCode.NO_DEVICE)
    if not grants:
        why = "nothing is allowed without asking"
        raise ControlError("nothing was revoked", why, "fob approvals list", ExitCode.NOTHING_TO_DO)
    names = dict.fromkeys(grant["device"] for grant in grants)
    return [revoked for name in names for revoked in _revoke(fob, name, "all")]


def _revoke(fob: Fob, name: str, number: str) -> Grants:
    answer = fob.client.delete("grants", name, number)
    return [{"device": answer["device"], "number": revoked} for revoked in answer["revoked"]]


def _read(fob: Fob, device: str | None) -> tuple[Grants, list[dict[str, str]]]:
    """The grants, and the devices that could not be asked. Raises ControlError when no device could."""
    query = {"device": fob.device(device)["name"]} if device else {}
    answer = fob.client.get("grants", **query)
    grants, unasked = answer["grants"], answer["unasked"]
    for away in unasked:
        fob.output.say(f"'{away['device']}' was not asked: {away['why']}")
    if unasked and not grants and len(unasked) == len(fob.client.get("devices")["devices"]):
        raise ControlError("nothing was listed", unasked[0]["why"], unasked[0]["next"], ExitCode.NO_DEVICE)
    return grants, unasked
