"""The walk through what a back office gave the phone: options that were not there before, used from the PC."""

from typing import Final

from fob_daemon.demo.office import OPTIONS, SERIAL
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.walk import Say, Step, Walk

_FOB: Final = ("fob", "fob")
_BENCH: Final = "fob-device bench --state phone"
_FEWER: Final = " ".join(option for option in OPTIONS if option != "postal-zones")

STEPS: Final = (
    Step("What the phone is to its office.", "fob office status", *_FOB),
    Step("What runs on it: measured, put at its place and started in order, at each start.", "fob options list", *_FOB),
    Step("What does a letter to France cost? One component knows the zone ...", "fob options run XZONE FR", *_FOB),
    Step(
        "... and another the price, from a table that is a component too.",
        "fob options run XRATE 20 letter europe",
        *_FOB,
    ),
    Step(
        "Where the amount stands on the letter, with the slogan that was ordered: a picture.",
        'fob options run XINDICIUM 125 2026-11-21 "20457 Hamburg" --json > indicium.json && wc -c indicium.json',
        *_FOB,
    ),
    Step(
        "Data is read as it is.",
        "fob options show customer-profile --output profile.json && cat profile.json",
        *_FOB,
    ),
    Step(
        "Each is a copy that the office knows, and has found genuine at this start.",
        "fob integrity status",
        *_FOB,
    ),
    Step(
        "Of that there is a ticket, which anybody verifies with the office's public key, and asks nobody.",
        "fob ticket get postage-rates --output ticket && "
        'fob-office server certificate integrity --output integrity --state "$FOB_OFFICE_STATE" && '
        "fob ticket verify ticket --certificate integrity --program postage-rates",
        *_FOB,
    ),
    Step(
        "Somebody changes one octet of a component on the phone, and the phone starts again ...",
        f"{_BENCH} spoil customer-profile && {_BENCH} power 1 && {_BENCH} wait 30 && "
        "until fob integrity status | grep -q invalid; do sleep 0.3; done; fob integrity status",
        *_FOB,
    ),
    Step(
        "... and this one alone is refused, by name, here and at the office.",
        'fob options show customer-profile 2>&1; fob-office copy list --standing invalid --state "$FOB_OFFICE_STATE"',
        *_FOB,
    ),
    Step(
        "A fresh download heals it.",
        "fob office configure && until fob integrity validate customer-profile; do sleep 0.3; done && "
        "fob options show customer-profile",
        *_FOB,
    ),
    Step(
        "The order is changed at the office: no zones any more. The phone asks, and lets go of them.",
        f'fob-office order change {SERIAL} {_FEWER} --state "$FOB_OFFICE_STATE" && fob office configure',
        *_FOB,
    ),
    Step("What was taken away is not there, by name.", "fob options run XZONE FR 2>&1 || true", *_FOB),
)


def tour(scratch: Scratch, say: Say) -> None:
    """The walk. Raises DemoError."""
    Walk(STEPS, scratch, say).run()
    say("")
    say("Done. This computer has carried every octet of it, and could neither read nor change one.")
