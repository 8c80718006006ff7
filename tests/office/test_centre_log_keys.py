"""`fob-office centre log keys`: by whose words a witness judges the log, from who runs the data centre (M4, M6)."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.passes import Kind
from fob_office.centre.places import centre_folder, load_centre, save_centre
from fob_office.cli.context import moment
from fob_protocol.cose import sign1
from fob_protocol.metering.passes import Pass
from fob_protocol.office.message import read
from support.office_process import fob_office

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "2", "--function-servers", "1")
REMOVED = "0b" * 32


@pytest.mark.clause("M4", "M6")
def test_each_key_by_which_the_log_was_signed_is_told(tmp_path: Path) -> None:
    state = tmp_path / "o"
    fob_office(state, "init")
    fob_office(state, "centre", "init", *SMALL)
    folder = centre_folder(state)
    save_centre(folder, replace(load_centre(folder), former_log_keys=(REMOVED,)))
    entries = [entry for entry in read_entries(folder / DIRECTORY) if entry.kind in (Kind.TRANSACTION, Kind.PAYMENT)]
    passes = {entry.name: read(Pass, sign1.unverified_payload(entry.shown)) for entry in entries}
    due = [
        {"name": name, "signs": signs, "key": (passes[name].signing or b"").hex(), "until": passes[name].not_after}
        for name, signs in (("transaction-1", "log"), ("transaction-2", "log"), ("payment-1", "receipts"))
    ]
    due.insert(2, {"name": None, "signs": "log", "key": REMOVED, "until": None})
    # Nothing runs, and nothing has to.
    assert json.loads(fob_office(state, "centre", "log", "keys", "--json")) == due
    names, *rows = [line.split() for line in fob_office(state, "centre", "log", "keys").splitlines()]
    assert names == ["name", "signs", "key", "until"]
    due_words = [[one["name"] or "(removed)", one["signs"], one["key"], *_moments(one["until"])] for one in due]
    assert rows == due_words


def _moments(until: object) -> list[str]:
    return [moment(until)] if isinstance(until, int) else []
