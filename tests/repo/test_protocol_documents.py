"""What the protocols' documents say by name and number is what the code has: strangers write their peers by them."""

import ast
import re
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from fob_office.centre.boxes.views import View
from fob_office.centre.database import leaves
from fob_office.centre.function.refusing import is_final, said_of
from fob_protocol.cose.labels import Label
from fob_protocol.metering import answers, kinds, passes, records, requests, values, vouchers
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.log import entry
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.verification import VerificationCertificate
from fob_protocol.office.certificate import Usage
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal

ROOT: Final = Path(__file__).parents[2]
# Packages by the folder that they are imported from.
PROGRAMS: Final = ("protocol", "back_office", "daemon", "device_emulator", "log_verifier")
PROTOCOLS: Final = ("meter-protocol.md", "office-protocol.md", "integrity-protocol.md")
METER, OFFICE, INTEGRITY = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in PROTOCOLS)
# Where the limits of a document stand that it names no file for.
LIMITS: Final = {
    METER: (
        "protocol/fob_protocol/metering/**/limits.py",
        "back_office/fob_office/centre/**/limits.py",
        "log_verifier/fob_log_verify/limits.py",
    ),
    OFFICE: (
        "protocol/fob_protocol/office/limits.py",
        "protocol/fob_protocol/office/modules.py",
        "protocol/fob_protocol/cose/cbor.py",
        "device_emulator/fob_device/components/runtime/limits.py",
    ),
    INTEGRITY: ("protocol/fob_protocol/integrity/limits.py",),
}
NAMES: Final = dict(zip(LIMITS, PROTOCOLS, strict=True))
UNITS: Final = {"h": 3600, "day": 86_400, "days": 86_400, "KiB": 1 << 10, "MiB": 1 << 20}

_LABEL: Final = re.compile(r'[`"](fob/1 [^`"]+)[`"]')
_LIMIT: Final = re.compile(r"\*\*([A-Z][A-Z_]*)\*\* \(([0-9][0-9,]*)(?: ([A-Za-z]+))?(?:; `([a-z_/]+\.py)`)?")
_NAMED: Final = re.compile(r"\*\*([A-Z]+(?:_[A-Z]+)+)\*\*")
_ROW: Final = re.compile(r"^\| `([a-z-]+)` \| .* \|$", re.MULTILINE)


class Limit(NamedTuple):
    """As a document gives it."""

    name: str
    value: float
    file: str


def limits(text: str) -> Iterator[Limit]:
    """Each that has a number."""
    for name, number, unit, file in _LIMIT.findall(text):
        yield Limit(name, int(number.replace(",", "")) * UNITS.get(unit, 1), file)


@cache
def sources() -> tuple[Path, ...]:
    """Every file of the programs."""
    return tuple(path for folder in PROGRAMS for path in sorted((ROOT / folder).rglob("*.py")))


def values_of(limit: Limit, text: str) -> dict[str, float]:
    """What the code has under this name, by file."""
    if limit.file:
        found = [path for path in sources() if str(path).endswith(f"/{limit.file}")]
    else:
        found = [path for pattern in LIMITS[text] for path in sorted(ROOT.glob(pattern))]
    return {
        str(path.relative_to(ROOT)): value
        for path in found
        if (value := getattr(import_module(module_of(path)), limit.name, None)) is not None
    }


def module_of(path: Path) -> str:
    """As it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts[1:])


@cache
def labels_of_code() -> frozenset[str]:
    """Every text of the programs that begins as a label."""
    return frozenset(
        text
        for path in sources()
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and (text := as_text(node.value)).startswith("fob/1 ")
    )


def as_text(value: object) -> str:
    """Of a constant, texts and octets."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def refusals_in(*folders: str) -> set[str]:
    """Words that the programs in these folders of the office say."""
    paths = [path for folder in folders for path in (ROOT / "back_office/fob_office" / folder).rglob("*.py")]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return {
        Refusal[node.attr].value
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Refusal"
    }


def rows(text: str, heading: str) -> dict[str, str]:
    """Of the table under this heading: first cell, and the line."""
    table = text.split(heading)[1].split("\n\n")[0]
    return {found[1]: found[0] for found in _ROW.finditer(table)}


def test_every_label_stands_in_the_documents() -> None:
    written = {found for text in LIMITS for found in _LABEL.findall(text)}
    assert {label.value for label in Label} - written == set()


def test_every_label_of_a_data_centre_stands_in_its_document() -> None:
    """Those of derived keys and ids too."""
    metering = {text for text in labels_of_code() if f'"{text}"' in code_of_meters()}
    assert metering - set(_LABEL.findall(METER)) == set()


def code_of_meters() -> str:
    """Of the protocol's part, and the data centre."""
    folders = ("fob_protocol/metering", "fob_office/centre")
    return "".join(
        path.read_text(encoding="utf-8") for path in sources() if any(folder in str(path) for folder in folders)
    )


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_no_document_names_a_label_that_nobody_has(path: Path) -> None:
    assert set(_LABEL.findall(path.read_text(encoding="utf-8"))) - labels_of_code() == set()


@pytest.mark.parametrize("text", LIMITS, ids=NAMES.get)
def test_every_limit_has_the_number_of_the_code(text: str) -> None:
    wrong = {}
    for limit in limits(text):
        found = values_of(limit, text)
        if set(found.values()) != {limit.value}:
            wrong[limit] = found
    assert wrong == {}


@pytest.mark.parametrize("text", LIMITS, ids=NAMES.get)
def test_every_limit_that_is_named_is_given(text: str) -> None:
    assert set(_NAMED.findall(text)) - {limit.name for limit in limits(text)} == set()


@pytest.mark.parametrize("text", LIMITS, ids=NAMES.get)
def test_no_document_means_two_limits_by_one_name(text: str) -> None:
    given = {(limit.name, limit.value) for limit in limits(text)}
    assert len(given) == len({name for name, _ in given})


def test_the_refusals_of_service_metering_are_all_there() -> None:
    listed = rows(METER, "| refusal | of | |\n")
    assert set(listed) == refusals_in("centre/function")
    assert {word for word in listed if not is_final(RefusedError(Refusal(word)))} == {Refusal.UNAVAILABLE}
    assert "All but `unavailable` are final" in METER


def test_the_refusals_that_say_why_are_marked() -> None:
    listed = rows(METER, "| refusal | of | |\n")
    assert {word for word, line in listed.items() if line.endswith("why |")} == {
        word for word in listed if said_of(Refusal(word), "because")
    }


@pytest.mark.parametrize(
    ("service", "folders"),
    [
        ("registration", ("registration",)),
        ("session", ("sessions", "gateway", "entitlements")),
        ("configuration", ("configuration",)),
        ("distribution", ("distribution", "validation")),
    ],
)
def test_the_refusals_of_each_service_are_all_there(service: str, folders: tuple[str, ...]) -> None:
    table = OFFICE.split("| service | refusals")[1].split("\n\n")[0]
    (line,) = (line for line in table.splitlines() if line.startswith(f"| `{service}`"))
    assert set(re.findall("`([a-z-]+)`", line.split("|")[2])) == refusals_in(*folders) - {"malformed", "unavailable"}


def test_every_refusal_is_some_services() -> None:
    written = rows(METER, "| refusal | of | |\n").keys() | set(re.findall("`([a-z-]+)`", OFFICE))
    assert {refusal.value for refusal in Refusal} - written == set()


def lower(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")


@pytest.mark.parametrize(
    ("kind", "text", "begins"),
    [
        (passes.Kind, METER, "Kind 1 "),
        (kinds.MeterState, METER, "State 1 "),
        (kinds.Payment, METER, "payment 1 "),
        (kinds.Deed, METER, "Deeds: 1 "),
        (entry.Kind, METER, ", kind 1 "),
        (Usage, OFFICE, "usages: 1 "),
    ],
)
def test_every_number_has_its_word(kind: type[IntEnum], text: str, begins: str) -> None:
    flat = " ".join(text.replace("│", " ").split())
    place = flat.index(begins)
    for member in kind:
        place = re.compile(rf"\b{member.value} (?:the )?{lower(member)}").search(flat, place).start()  # type: ignore[union-attr]


def elements(array: str) -> int:
    """Of an array as it is written: commas that stand in no inner one."""
    while (flat := re.sub(r"(?<=.)\[[^][]*\]|\([^()]*\)", "", array)) != array:
        array = flat
    return array.count(",") + 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pass", passes.Pass),
        ("view", View),
        ("meter record", records.MeterRecord),
        ("user record", records.UserRecord),
        ("permission", vouchers.Permission),
        ("receipt", vouchers.Receipt),
        ("due", vouchers.Due),
        ("charge order", vouchers.ChargeOrder),
        ("fund record", vouchers.FundRecord),
        ("transaction record", TransactionRecord),
        ("sign-up", requests.SignUpRequest),
        ("sign-on", requests.SignOnRequest),
        ("indicium", Indicium),
        ("verification certificate", VerificationCertificate),
        ("checkpoint", Checkpoint),
    ],
)
def test_every_array_has_as_many_elements(name: str, kind: type[Message]) -> None:
    assert elements(written(rf"\*{name}\*[^`]*")) == 1 + len(kind.__struct_fields__)


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (r"\*registers\*: ", values.Registers),
        ("Freshness ", records.Fresh),
        ("Limits ", records.Limits),
        ("refill ", records.Refill),
        (r"\*piece\*: ", requests.Piece),
    ],
)
def test_every_array_without_a_number_has_as_many_elements(before: str, kind: type[Message]) -> None:
    assert elements(written(before)) == len(kind.__struct_fields__)


@pytest.mark.parametrize(
    ("asked", "request_kind", "answer_kind"),
    [
        ("about", requests.AboutRequest, answers.About),
        ("frank", requests.FrankRequest, answers.Franked),
        ("load", requests.LoadRequest, answers.Loaded),
        ("refund", requests.RefundRequest, answers.Refunded),
        ("history", requests.HistoryRequest, answers.History),
        (r"`\[16\]`", None, answers.TermsGiven),
        (r"`\[1, sign-up\]`", None, answers.SignedUp),
    ],
)
def test_what_is_asked_and_answered_has_as_many_elements(
    asked: str, request_kind: type[Message] | None, answer_kind: type[Message]
) -> None:
    if request_kind is not None:
        assert elements(written(rf"^\| {asked} ")) == 1 + len(request_kind.__struct_fields__)
    assert elements(written(rf"^\| {asked}(?: `[^`]*`)? \| ")) == 1 + len(answer_kind.__struct_fields__)


@pytest.mark.parametrize(
    ("number", "kind"),
    list(
        enumerate((leaves.Gap, leaves.MailerGap, leaves.Warned, leaves.PaidBack, leaves.Answered, leaves.Reserved), 1)
    ),
)
def test_every_note_has_as_many_elements(number: int, kind: type[Message]) -> None:
    notes = METER.split("| note | when | at most |")[1].split("\n\n")[0]
    (line,) = (line for line in notes.splitlines() if line.startswith(f"| `[{number}, "))
    assert elements(line.split("`")[1]) == 1 + len(kind.__struct_fields__)


def test_the_scan_has_as_many_elements() -> None:
    assert elements(written(r"\*scan\*: ")) == 1 + len(leaves.Sighting.__struct_fields__)


def written(before: str) -> str:
    """The array that stands behind this in the meters' document."""
    found = re.search(rf"{before}`(\[[^`]*\])`", METER, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("array", "count"), [("[1, a, b]", 3), ("[1, [a, b]...]", 2), ("[1, a, [[b, c or null]...], d]", 4)]
)
def test_elements_are_counted(array: str, count: int) -> None:
    assert elements(array) == count
