"""What the commands of `fob meter` ask the daemon for."""

from typing import Any

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.words import Report, ended_words, kind_of
from fob_daemon.cli.pins import with_pin
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_protocol.metering.amounts import amount_of


def told(fob: Fob, device: Report, *path: str) -> Any:
    """A read. Raises ControlError."""
    return fob.client.get_from_device("devices", device["name"], "meter", *path)


def meter_of(fob: Fob, device: Report) -> Report:
    """What the device has of it; one round trip. Raises ControlError, also where there is none."""
    meter: Report = told(fob, device)["meter"]
    if meter["stage"] == "none":
        why = f"'{device['name']}' has no meter"
        raise ControlError("there is no meter", why, "fob meter sign-up NAME --origin POSTCODE", ExitCode.NOTHING_TO_DO)
    return meter


def post(fob: Fob, device: Report, pin_file: str | None, *path: str, **body: Json) -> Any:
    """What may wait for a person, whose words are shown. Raises ControlError."""
    with asks_shown(fob, device["name"]):
        answer = with_pin(
            fob,
            device,
            pin_file,
            lambda pin: fob.client.post("devices", device["name"], "meter", *path, body={**body, **pin}),
        )
    tell_ended(fob, answer)
    return answer


def tell_ended(fob: Fob, answer: Report) -> None:
    """What became of orders whose commands were cut; programs find it in the answer."""
    for ended in () if fob.output.is_json else answer.get("ended", ()):
        words = ended_words(ended)
        fob.output.say(
            f"An earlier order is done: {words}."
            if words
            else "Nobody knows whether an earlier order was done.    to see: fob meter history"
        )


def typed_amount(meter: Report, typed: str) -> int:
    """In the least unit. Raises ControlError."""
    try:
        return amount_of(kind_of(meter), typed)
    except ValueError as error:
        raise ControlError(
            f"'{typed}' is no amount", str(error), "the same command with another AMOUNT", ExitCode.USAGE
        ) from None
