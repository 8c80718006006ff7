"""A file of letters: what it may have, and which line and column is wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.cli.metering.batch import FILE_LIMIT, Rules, piece_of, read_batch
from fob_daemon.cli.metering.writing import parts_of
from fob_daemon.control.errors import ControlError
from fob_daemon.control.limits import MAX_BODY
from fob_daemon.control.meter_requests import AddPieces
from fob_daemon.control.requests import parse_request
from fob_daemon.metering.limits import JOB_LIMIT

LONGEST = "\N{MATHEMATICAL BOLD CAPITAL A}" * 512
RULES = Rules("letter", "domestic", lambda: "eur-cent")


def read(path: Path, text: str | bytes) -> list[dict[str, object]]:
    file = path / "letters.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_batch(file, RULES).pieces


def test_all_columns(tmp_path: Path) -> None:
    text = (
        "To,Address,Weight,Class,Zone,Origin,Amount\n"
        '20095,"Erika Mustermann\nHauptstraße 5, 20095 Hamburg",20,,,,\n'
        "75001,Marianne,50 g,parcel,europe,10115,\n\n"
        "20095,Erika,,,,,2.85\n"
    )
    assert read(tmp_path, text) == [
        {
            "destination": "20095", "address": "Erika Mustermann Hauptstraße 5, 20095 Hamburg", "service": "letter",
            "grams": 20, "zone": "domestic", "amount": None, "origin": None,
        },
        {
            "destination": "75001", "address": "Marianne", "service": "parcel", "grams": 50, "zone": "europe",
            "amount": None, "origin": "10115",
        },
        {
            "destination": "20095", "address": "Erika", "service": "letter", "grams": None, "zone": None,
            "amount": 285, "origin": None,
        },
    ]  # fmt: skip


def test_what_spreadsheets_write(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfto;address;weight\r\n20095;Erika;20\r\n")[0]["grams"] == 20


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it has 0 pieces"),
        ("to,address,weight\n", "it has 0 pieces"),
        ("to,weight\n20095,20\n", "line 1 names the columns: to and address"),
        ("to,address,colour\n", "line 1 names the columns"),
        ("to,address,to\n", "line 1 names the columns"),
        ("to,address,weight\n20095,Erika,20\n20!,Erika,20\n", "line 3, column 'to': it has to be 1 to 16 letters"),
        ('to,address,weight\n20095,"Erika\nHamburg",20\n20095,Erika,heavy\n', "line 4, column 'weight': it has to be"),
        ("to,address,weight\n,Erika,20\n", "line 2, column 'to': it is missing"),
        ("to,address,weight\n20095,,20\n", "line 2, column 'address': it is missing"),
        ("to,address,weight\n20095,...,20\n", "line 2, column 'address': an address has letters or digits"),
        ("to,address,weight\n20095,Eri\x07ka,20\n", "line 2, column 'address': it has characters"),
        ("to,address,weight\n20095,Erika,0\n", "line 2, column 'weight'"),
        ("to,address,weight\n20095,Erika\n", "line 2, column 'weight': a piece has a weight, or an amount"),
        ("to,address,weight\n20095,Erika,20,30\n", "line 2: 4 values for 3 columns"),
        ("to,address,weight,class\n20095,Erika,20,Letter!\n", "line 2, column 'class'"),
        ("to,address,amount\n20095,Erika,2.855\n", "line 2, column 'amount': there is nothing less than EUR 0.01"),
        ('to,address,weight\n20095,"Erika" x,20\n', "line 2: "),
        (b"to,address,weight\n20095,Erika,20\n20095,\xff,20\n", "line 3: it is not in UTF-8"),
        (b"x" * (FILE_LIMIT + 1), "it has more than 8 MiB"),
        ("to,address,weight\n" + "20095,Erika,20\n" * (JOB_LIMIT + 1), "it has 10,001 pieces"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str | bytes, why: str) -> None:
    with pytest.raises(ControlError) as refused:
        read(tmp_path, text)
    assert refused.value.what == "nothing was franked"
    assert refused.value.why.startswith(f"{tmp_path / 'letters.csv'}: {why}")


@pytest.mark.clause("M32")
@pytest.mark.parametrize(
    ("kind", "typed", "said", "service"),
    [
        ("kwh-milli", "1.5", None, "piece"),
        ("kwh-milli", "1.5", "delivery", "delivery"),
        ("eur-cent", "1.5", None, "letter"),
        # Nobody has heard yet what the meter counts.
        ("units", "150", None, "letter"),
    ],
)
def test_what_is_no_postage_is_no_letter(kind: str, typed: str, said: str | None, service: str) -> None:
    rules = Rules(said, "domestic", lambda: kind)
    assert piece_of({"to": "1", "address": "Meter 7", "amount": typed}, rules)["service"] == service


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No such file"):
        read_batch(tmp_path / "none.csv", RULES)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    try:
        read(tmp_path_factory.getbasetemp(), "to,address,weight\n" + text)
    except (ControlError, UnicodeEncodeError):
        return


def test_the_longest_addresses_are_sent_in_bodies_that_the_daemon_takes(tmp_path: Path) -> None:
    # Of the characters that take most octets in JSON.
    text = "to,address,weight\n" + f"20095,{LONGEST},20\n" * 300
    pieces = read(tmp_path, text)
    taken = 0
    for part in parts_of(pieces):
        body = json.dumps({"pieces": part}).encode()
        assert len(body) < MAX_BODY
        request = parse_request("POST", "/v1/devices/pixel/meter/jobs/1/pieces", body)
        assert isinstance(request, AddPieces)
        taken += len(request.pieces)
    assert taken == 300
