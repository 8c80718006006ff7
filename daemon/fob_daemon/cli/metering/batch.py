"""What is to be franked, as a person says it: by options, or in a file of comma-separated values (RFC 4180)."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final, TypeVar

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.metering.limits import GRAMS_LIMIT, JOB_LIMIT, PLACE_RULE, UNITS
from fob_daemon.metering.views import Piece
from fob_protocol.metering.amounts import amount_of, is_money
from fob_protocol.metering.indicium import addressee_digest, is_place
from fob_protocol.office.limits import ID_LIMIT
from fob_protocol.office.patterns import NAME

T = TypeVar("T")

# Octets: each of the most pieces with the longest address that a label has room for.
FILE_LIMIT: Final = 8 << 20
COLUMNS: Final = ("to", "address", "weight", "class", "zone", "origin", "amount")
CLASS: Final = "letter"
# Of what a meter that counts no money franks.
CLASS_OF_OTHERS: Final = "piece"
ZONE: Final = "domestic"
HELP: Final = "fob meter frank --help"
# The first word of a spreadsheet's own separator.
_SEPARATORS: Final = (",", ";", "\t")
_GRAMS: Final = re.compile(r"([0-9]{1,7}) ?g?")


class ColumnError(ValueError):
    """One value is not what its column takes; the text says what that is."""

    def __init__(self, column: str, why: str) -> None:
        self.column = column
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a piece has that does not say it, and the value kind that amounts are of; asked for where one is typed.

    No `mail_class`: a letter, where its amount is no other thing than money.
    """

    mail_class: str | None
    zone: str
    value_kind: Callable[[], str]


def piece_of(row: Mapping[str, str], rules: Rules) -> dict[str, Any]:
    """As the daemon takes it. Raises ColumnError."""
    amount, weight = row.get("amount", ""), row.get("weight", "")
    if bool(amount) == bool(weight):
        raise ColumnError("weight", "a piece has a weight, or an amount")
    piece = Piece(
        _place(row, "to"),
        _checked("address", " ".join(_said(row, "address").split()), _address),
        _named(row, "class", rules.mail_class or _class_of(bool(amount), rules)),
        grams=_checked("weight", weight, _grams) if weight else None,
        zone=_named(row, "zone", rules.zone) if weight else None,
        amount=_checked("amount", amount, lambda typed: amount_of(rules.value_kind(), typed)) if amount else None,
        origin=_place(row, "origin") if row.get("origin") else None,
    )
    return asdict(piece)


def _class_of(has_amount: bool, rules: Rules) -> str:
    """Where nobody says one. What is weighed is a letter."""
    if not has_amount or rules.value_kind() == UNITS or is_money(rules.value_kind()):
        return CLASS
    return CLASS_OF_OTHERS


@dataclass(frozen=True, slots=True)
class Batch:
    """The pieces of a file, each with its line; no `path`, and no lines, for what is none's."""

    pieces: list[dict[str, Any]] = field(default_factory=list)
    path: Path | None = None
    lines: Sequence[int] = ()

    def refused(self, place: int, column: str, why: str) -> ControlError | None:
        """One of its pieces, by line and column; a letter by its option."""
        if self.path is None and place == 0 and len(self.pieces) == 1:
            return ControlError("nothing was franked", _of_option(column, why), HELP, ExitCode.USAGE)
        if self.path is None or not 0 <= place < len(self.lines):
            return None
        return _refused(self.path, f"line {self.lines[place]}, column '{column}': {why}")


def read_batch(path: Path, rules: Rules) -> Batch:
    """Raises ControlError, which names line and column."""
    rows = list(_rows(path, _text(path)))
    pieces = [_line(path, number, row, rules) for number, row in rows]
    if not 1 <= len(pieces) <= JOB_LIMIT:
        raise _refused(path, f"it has {len(pieces):,} pieces; 1 to {JOB_LIMIT:,} are franked at once")
    return Batch(pieces, path, [number for number, _ in rows])


def _line(path: Path, number: int, row: Mapping[str, str], rules: Rules) -> dict[str, Any]:
    try:
        return piece_of(row, rules)
    except ColumnError as error:
        raise _refused(path, f"line {number}, column '{error.column}': {error}") from None


def _rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each with the number of its last line."""
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    try:
        for row in reader:
            if not header:
                header = _header(path, row)
            elif any(row):
                if len(row) > len(header):
                    raise _refused(path, f"line {reader.line_num}: {len(row)} values for {len(header)} columns")
                yield reader.line_num, {name: value.strip() for name, value in zip(header, row, strict=False)}
    except csv.Error as error:
        raise _refused(path, f"line {reader.line_num}: {error}") from None


def _header(path: Path, row: list[str]) -> list[str]:
    header = [name.strip().lower() for name in row]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len(set(header)) < len(header) or not {"to", "address"} <= set(header):
        why = "line 1 names the columns: to and address, and of weight, class, zone, origin, amount what there is"
        raise _refused(path, why)
    return header


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from None
    if len(content) > FILE_LIMIT:
        raise _refused(path, f"it has more than {FILE_LIMIT >> 20} MiB")
    try:
        # Spreadsheets begin a file with the mark of its encoding.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise _refused(path, f"line {number}: it is not in UTF-8") from None


def _checked(column: str, value: str, check: Callable[[str], T]) -> T:
    try:
        return check(value)
    except ValueError as error:
        raise ColumnError(column, str(error)) from None


def _address(value: str) -> str:
    addressee_digest(value)
    if not value.isprintable():
        raise ValueError("it has characters that cannot be shown")
    return value


def _grams(value: str) -> int:
    found = _GRAMS.fullmatch(value)
    if found is None or not 1 <= int(found[1]) <= GRAMS_LIMIT:
        raise ValueError(f"it has to be 1 to {GRAMS_LIMIT:,} grams")
    return int(found[1])


def _said(row: Mapping[str, str], column: str) -> str:
    """What no piece is without."""
    value = row.get(column, "")
    if not value.strip():
        raise ColumnError(column, "it is missing")
    return value


def _place(row: Mapping[str, str], column: str) -> str:
    value = _said(row, column)
    if not is_place(value):
        raise ColumnError(column, f"it has to be {PLACE_RULE}")
    return value


def _named(row: Mapping[str, str], column: str, default: str) -> str:
    value = row.get(column) or default
    if re.fullmatch(NAME, value) is None:
        raise ColumnError(column, f"it has to be small letters, digits, dots and dashes, at most {ID_LIMIT}")
    return value


def _of_option(column: str, why: str) -> str:
    """Of what is rated together nobody knows which one is wrong."""
    return why if "," in column else f"--{column}: {why}"


def _refused(path: Path, why: str) -> ControlError:
    return ControlError("nothing was franked", f"{path}: {why}", HELP, ExitCode.USAGE)
