"""Labels as they are read of the daemon: the indicia of transactions, and which of them are void."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.words import Report, some
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import ControlError, ExitCode
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

# A meter's serial, and its counter: two meters count alike. An empty serial: of the meter that the device has.
Transaction = tuple[str, int]

_ANOTHER: Final = "fob meter print BATCH, with the number of another batch (fob meter status)"


@dataclass(frozen=True, slots=True)
class Label:
    """An indicium with its number on the meter. `is_void`: it was given back from here."""

    counter: int
    piece: int
    indicated: Indicated
    indicium: Indicium
    is_void: bool = False

    @property
    def name(self) -> str:
        """Of a file."""
        return f"{self.indicium.serial}-{self.counter:06}-{self.piece + 1:02}"


def transactions_of(fob: Fob, device: Report, job: int) -> list[Transaction]:
    """Those of a batch that are kept here."""
    kept = fob.client.get_from_device("devices", device["name"], "meter", "franked", job=job)["franked"]
    return sorted((one["serial"], one["counter"]) for one in kept)


def labels_of(fob: Fob, device: Report, transactions: Sequence[Transaction]) -> list[Label]:
    """What is kept of these transactions, or fetched. Raises ControlError."""
    found: list[Label] = []
    with Progress(fob.output, "Reading what was franked", len(transactions)) as progress:
        for done, (serial, counter) in enumerate(transactions):
            path = ("devices", device["name"], "meter", "franked", str(counter))
            of_meter = {"serial": serial} if serial else {}
            indicia = fob.client.get_from_device(*path, **of_meter)["indicia"]
            found += [_label(counter, number, one) for number, one in enumerate(indicia)]
            progress.show(done + 1)
    return found


def without_void(fob: Fob, labels: Sequence[Label]) -> list[Label]:
    """What a letter may still bear; the rest is named. Raises ControlError where nothing is left."""
    good = [label for label in labels if not label.is_void]
    void = len(labels) - len(good)
    if labels and not good:
        why = f"{some(void, 'was given back, and is void', 'were given back, and are void')}"
        raise ControlError("nothing was printed", why, _ANOTHER, ExitCode.NOTHING_TO_DO)
    if void:
        fob.output.say(f"{some(void, 'is left out: it was', 'are left out: they were')} given back, and void.")
    return good


def _label(counter: int, number: int, one: Report) -> Label:
    indicated = Indicated(bytes.fromhex(one["indicium"]), bytes.fromhex(one["token"]))
    try:
        return Label(counter, number, indicated, read(Indicium, indicated.indicium), one["given_back"])
    except OfficeError as error:
        raise ControlError(
            "the indicia were not read", f"number {counter}/{number + 1}: {error.why}", "fob doctor"
        ) from None
