"""The token's file: made whole or not at all, refused with a reason, closed to others."""

import contextlib
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.memory import Memory
from fob_device.store.codec import decode_attributes, encode_attributes
from fob_device.store.errors import TokenFileError
from fob_device.store.schema import OLDEST_VERSION, SCHEMA_VERSION
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Kind, kind_of
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from support.token_bench import ROOT_KEY, SO_PIN, Bench, data_template, refusal_of, refused

VALUES: dict[Kind, st.SearchStrategy[AttributeValue]] = {
    Kind.BOOL: st.booleans(),
    Kind.ULONG: st.integers(0, 2**64 - 1),
    Kind.BYTES: st.binary(max_size=40),
    Kind.DATE: st.binary(max_size=8),
    Kind.MECHANISMS: st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
}


@st.composite
def stored_attributes(draw: st.DrawFn) -> Attributes:
    types = draw(st.sets(st.sampled_from([type_ for type_ in Cka if kind_of(type_) in VALUES])))
    return {type_: draw(VALUES[kind_of(type_)]) for type_ in types}


@given(stored_attributes())
def test_attributes_come_back_as_they_were_stored(attributes: Attributes) -> None:
    encoded = encode_attributes(attributes)
    assert decode_attributes(encoded) == attributes
    assert encode_attributes(dict(reversed(attributes.items()))) == encoded


@given(st.one_of(st.binary(), stored_attributes().map(lambda a: encode_attributes(a)[:-1])))
def test_octets_that_were_never_stored_are_read_or_refused_and_nothing_else(octets: bytes) -> None:
    refusal = refusal_of(decode_attributes, octets)
    assert refusal in (None, Ckr.DEVICE_ERROR)
    if refusal is None:
        attributes = decode_attributes(octets)
        assert decode_attributes(encode_attributes(attributes)) == attributes


def test_a_new_token_says_what_it_is(bench: Bench) -> None:
    info = bench.token.info()
    assert (info.label, info.manufacturer, info.min_pin, info.max_pin) == ("bench", "Fob", 4, 64)
    assert len(info.serial) == 16
    assert int(info.serial, 16) >= 0
    assert len(info.model) <= 16
    assert bench.restart().info() == info


def test_only_the_owner_reads_the_file(bench: Bench) -> None:
    assert stat.S_IMODE(bench.path.stat().st_mode) == 0o600


def test_a_token_is_never_overwritten(bench: Bench) -> None:
    with pytest.raises(FileExistsError):
        Bench(bench.path)
    bench.session(Cku.USER)


def test_an_unfinished_file_of_an_earlier_attempt_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "token.db.new").write_bytes(b"half a file")
    (tmp_path / "token.db.new-journal").write_bytes(b"half a journal")
    bench = Bench(tmp_path / "token.db")
    assert list(tmp_path.iterdir()) == [bench.path]
    bench.session(Cku.USER)
    bench.token.close()


@pytest.mark.parametrize("label", ["x" * 33, "ü" * 17, "two\nlines", "\x1b[2J", "txt\u202egpj"])
def test_a_label_that_is_long_or_has_control_characters_is_refused_and_no_file_is_made(
    tmp_path: Path, label: str, bench: Bench
) -> None:
    path = tmp_path / "other.db"
    with refused(Ckr.ARGUMENTS_BAD):
        Memory.create(
            path, root_key=ROOT_KEY, label=label, so_pin=SO_PIN, user_pin=None, random=bench.random, clock=bench.clock
        )
    with refused(Ckr.ARGUMENTS_BAD):
        bench.token.init_token(SO_PIN, label)
    assert not path.exists()


def test_a_short_pin_is_refused_and_no_file_is_made(tmp_path: Path) -> None:
    with refused(Ckr.PIN_LEN_RANGE):
        Bench(tmp_path / "other.db", user_pin=b"123")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="no token file at"):
        Memory.open(tmp_path / "none.db", root_key=ROOT_KEY, random=bytes, clock=float)


@pytest.mark.parametrize("version", [OLDEST_VERSION - 1, SCHEMA_VERSION + 1])
def test_a_file_of_another_schema_version_is_refused(bench: Bench, version: int) -> None:
    bench.token.close()
    connection = sqlite3.connect(bench.path)
    connection.execute(f"PRAGMA user_version={version}")
    connection.close()
    with pytest.raises(TokenFileError, match=f"version {version}; this program reads version {SCHEMA_VERSION}"):
        bench.open_file()


def before_copies(path: Path) -> None:
    """A file as version 6 made it."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DROP TABLE copies")
        connection.execute("PRAGMA user_version=6")
    connection.close()


def test_a_file_of_the_version_before_is_brought_up_to_date(bench: Bench) -> None:
    bench.token.close()
    before_copies(bench.path)
    bench.open_file().close()
    connection = sqlite3.connect(bench.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


def test_a_file_whose_tables_are_of_another_version_than_it_says_is_refused(bench: Bench) -> None:
    bench.token.close()
    connection = sqlite3.connect(bench.path)
    connection.execute("PRAGMA user_version=6")
    connection.close()
    with pytest.raises(TokenFileError, match="table copies already exists"):
        bench.open_file()


def test_another_database_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE token (serial TEXT)")
    connection.close()
    with pytest.raises(TokenFileError, match="not a token file"):
        Memory.open(path, root_key=ROOT_KEY, random=bytes, clock=float)


@given(st.binary(max_size=300))
def test_any_other_octets_are_no_token(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("octets") / "token.db"
    path.write_bytes(octets)
    with pytest.raises(TokenFileError):
        Memory.open(path, root_key=ROOT_KEY, random=bytes, clock=float)


def test_a_file_cut_short_is_refused(bench: Bench) -> None:
    session = bench.user()
    for _ in range(10):
        session.create_object(data_template(bytes(2000)))
    bench.token.close()
    whole = bench.path.read_bytes()
    for size in (*range(0, len(whole), 4096), 100, len(whole) - 1):
        bench.path.write_bytes(whole[:size])
        with pytest.raises(TokenFileError, match=r"cut short|malformed|not a token file"):
            bench.open_file()
    bench.path.write_bytes(whole)
    bench.restart()


def test_a_page_that_was_written_over_is_found_when_the_file_is_opened(bench: Bench) -> None:
    bench.user().create_object(data_template(bytes(9000)))
    bench.token.close()
    whole = bench.path.read_bytes()
    found = 0
    for start in range(4096, len(whole), 4096):
        bench.path.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        with contextlib.suppress(TokenFileError):
            bench.open_file().close()
            continue
        found += 1
    # All but the overflow pages of the data object, whose octets may be any.
    assert found >= len(whole) // 4096 - 4
    bench.path.write_bytes(whole)
    bench.restart()


def test_a_second_device_on_the_same_file_is_refused(bench: Bench) -> None:
    program = (
        "import sys, pathlib; from fob_device.memory import Memory\n"
        "Memory.open(pathlib.Path(sys.argv[1]), root_key=bytes(range(32)), random=bytes, clock=float)"
    )
    command = [sys.executable, "-c", program, str(bench.path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "is in use by another process" in done.stderr
    bench.session(Cku.USER)


def test_a_full_disk_is_told_and_nothing_is_half_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = bench.user()
    connection = bench.token._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}").fetchall()
    with refused(Ckr.DEVICE_MEMORY):
        session.create_object(data_template(bytes(30_000)))
    assert bench.token.generation == 0
    connection.execute("PRAGMA max_page_count=100000").fetchall()
    assert session.create_object(data_template(bytes(30_000))).generation == 1
