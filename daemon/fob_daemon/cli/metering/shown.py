"""Labels on standard output: for a person, and for a script."""

from collections.abc import Sequence
from typing import Any, Final

from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.labels import Label
from fob_daemon.cli.metering.words import Report, letters
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.indicium import day_of

# Lines that a person reads; a script has them all.
_SHOWN: Final = 24


def show_labels(fob: Fob, device: Report, labels: Sequence[Label], files: Sequence[str], more: Report) -> None:
    """Each with its file, empty where none was drawn."""
    if fob.output.is_json:
        told = [_told(label, file) for label, file in zip(labels, files, strict=True)]
        fob.output.data({"device": device["name"], **more, "labels": told})
        return
    rows = [
        (
            f"{label.counter}/{label.piece + 1}",
            amount_words(label.indicium.value_kind, label.indicium.amount),
            label.indicium.mail_class,
            label.indicium.destination,
            file,
        )
        for label, file in zip(labels[:_SHOWN], files, strict=False)
    ]
    fob.output.table(("NUMBER", "AMOUNT", "CLASS", "TO", "FILE"), rows)
    if len(labels) > _SHOWN:
        fob.output.line(f"and {letters(len(labels) - _SHOWN)} more")
    if not any(files):
        fob.output.say("try:   fob meter print LAST --output FOLDER, --pdf FILE or --pages FOLDER")


def _told(label: Label, file: str) -> dict[str, Any]:
    indicium = label.indicium
    return {
        "counter": label.counter, "piece": label.piece + 1, "serial": indicium.serial, "amount": indicium.amount,
        "value_kind": indicium.value_kind, "date": day_of(indicium.date).isoformat(), "origin": indicium.origin,
        "destination": indicium.destination, "class": indicium.mail_class,
        "indicium": label.indicated.indicium.hex(), "token": label.indicated.token.hex(), "file": file or None,
    }  # fmt: skip
