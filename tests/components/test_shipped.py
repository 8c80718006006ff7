"""The components that come with Fob do what they say, on the runtime of a device."""

import html
import json
import re

import pytest

from fob_device.components.runtime.errors import RunError, RunFault, WrongParametersError
from fob_device.components.runtime.module import RunnableModule
from fob_office.shipped import Shipped, shipped
from fob_protocol.cose.cbor import Value
from fob_protocol.office.component import Kind

pytestmark = pytest.mark.clause("C7", "C17")


def runnable(name: str) -> RunnableModule:
    """With the data that it depends on."""
    component = shipped()[name]
    data = {needed: shipped()[needed].content() for needed in component.dependencies}
    module = RunnableModule(component.content(), data, has_commands=bool(component.commands))
    module.test()
    return module


def test_both_kinds_are_there_and_what_they_depend_on() -> None:
    kinds = {name: component.kind for name, component in shipped().items()}
    assert set(kinds.values()) == {Kind.MODULE, Kind.DATA}
    for component in shipped().values():
        for name, least in component.dependencies.items():
            assert shipped()[name].version >= least


def test_no_two_have_a_command_in_common() -> None:
    commands = [command for component in shipped().values() for command in component.commands]
    assert sorted(commands) == ["XADDRESS", "XINDICIUM", "XRATE", "XZONE"]


@pytest.mark.parametrize(
    ("values", "cents"),
    [
        ([1, "letter", "domestic"], 95),
        ([20, "letter", "domestic"], 95),
        ([21, "letter", "domestic"], 110),
        ([500, "letter", "europe"], 350),
        ([10_000, "parcel", "domestic"], 1049),
        ([5_000, "parcel", "world"], 4299),
    ],
)
def test_what_a_letter_costs(values: list[Value], cents: int) -> None:
    assert runnable("postage-rates").call(0, values) == [cents, "EUR"]


@pytest.mark.parametrize(
    "values",
    [
        [10_001, "parcel", "domestic"],
        [(1 << 64) - 1, "parcel", "world"],
        [20, "lette", "domestic"],
        [20, "letters", "domestic"],
        [20, "", ""],
        [20, "letter domestic", "20"],
        [20, "letter"],
        [20, "letter", "domestic", 1],
        ["20", "letter", "domestic"],
        [20, b"letter", "domestic"],
        [-1, "letter", "domestic"],
        [],
    ],
)
def test_what_has_no_price(values: list[Value]) -> None:
    with pytest.raises(WrongParametersError):
        runnable("postage-rates").call(0, values)


def test_rates_without_their_table_do_not_start() -> None:
    with pytest.raises(RunError) as ended:
        RunnableModule(shipped()["postage-rates"].content(), {}, has_commands=True).test()
    assert ended.value.fault is RunFault.SELF_TEST


def test_a_damaged_table_ends_in_no_price() -> None:
    for table in (b"letter", b"letter domestic 20", b"\n\n\n", b"letter domestic x 95\n"):
        rates = RunnableModule(shipped()["postage-rates"].content(), {"postage-table": table}, has_commands=True)
        with pytest.raises(WrongParametersError):
            rates.call(0, [20, "letter", "domestic"])


@pytest.mark.clause("M36")
@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("  Ann Example,\n\tHauptstr. 5,  10115 Berlin ", "Ann Example, Hauptstraße 5, 10115 Berlin"),
        ("Str. 1, Köln", "Straße 1, Köln"),
        ("str.", "straße"),
        ("tr. dr. St.", "tr. dr. St."),
        ("as it is", "as it is"),
        (" \n", ""),
        ("", ""),
        ("str." * 128, "straße" * 128),
    ],
)
def test_an_address_is_written_out(typed: str, written: str) -> None:
    module = runnable("address-cleansing")
    assert module.call(0, [typed]) == [written]
    assert module.call(0, [typed, typed, typed, "Ann"]) == [written] * 3 + ["Ann"]
    # Once written out, it is that.
    assert module.call(0, [written]) == [written]


@pytest.mark.clause("M36")
def test_many_addresses_at_once_and_no_more() -> None:
    module = runnable("address-cleansing")
    many: list[Value] = ["str." * 60] * 64
    assert module.call(0, many) == ["straße" * 60] * 64
    refused: tuple[list[Value], ...] = ([], ["Ann"] * 65, [7], ["Ann", b"Ben"], ["x" * 18_000])
    for values in refused:
        with pytest.raises(WrongParametersError):
            module.call(0, values)


@pytest.mark.parametrize(("country", "zone"), [("DE", "domestic"), ("FR", "europe"), ("SK", "europe"), ("US", "world")])
def test_the_zone_of_a_country(country: str, zone: str) -> None:
    assert runnable("postal-zones").call(0, [country]) == [zone]


@pytest.mark.parametrize("values", [["D"], ["DEU"], [7], []])
def test_what_is_no_country(values: list[Value]) -> None:
    with pytest.raises(WrongParametersError):
        runnable("postal-zones").call(0, values)


def picture(*values: Value) -> str:
    (svg,) = runnable("indicium-layout").call(0, list(values))
    assert isinstance(svg, str)
    return svg


def texts(svg: str) -> list[str]:
    return [html.unescape(text) for text in re.findall(r">([^<>]*)</text>", svg)]


def test_an_indicium_shows_amount_date_origin_and_slogan() -> None:
    assert texts(picture(1205, "2026-11-21", "20457 Hamburg")) == [
        "Write to somebody today", "EUR 12.05", "2026-11-21", "20457 Hamburg",
    ]  # fmt: skip


def test_what_is_typed_stays_text() -> None:
    assert texts(picture(0, "</text><script>", "\"'&<>"))[1:] == ["EUR 0.00", "</text><script>", "\"'&<>"]


@pytest.mark.parametrize(
    "values", [[100_000_000, "", ""], [1, "x" * 33, ""], [1, "", "x" * 65], [1, 2, 3], ["1", "", ""], [1, ""]]
)
def test_what_no_indicium_shows(values: list[Value]) -> None:
    with pytest.raises(WrongParametersError):
        runnable("indicium-layout").call(0, values)


def test_a_profile_is_data() -> None:
    profile: Shipped = shipped()["customer-profile"]
    assert json.loads(profile.content())["zone"] == "domestic"
