"""`fob-office centre`: a data centre is made in one go however often it is cut off, and says how it is."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries, write_entries
from fob_office.centre.bus.passes import Kind, read_pass
from fob_office.centre.founding.making import BEGUN, first_slots
from fob_office.centre.founding.plan import COUNTS, RATES
from fob_office.centre.function.settings import PROGRAMS_LIMIT
from fob_office.centre.places import (
    SOCKET_LIMIT,
    centre_folder,
    has_centre,
    load_centre,
    office_socket,
    save_centre,
    socket_address,
    sockets_folder,
    sockets_made,
)
from fob_office.centre.supervising.history import History
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.errors import OperatorError
from fob_protocol.metering.limits import BOXES_LIMIT, KINDS_LIMIT
from support.office_process import PROGRAM, fob_office
from support.running_centre import RunningCentre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

# One of each kind, and no more.
SMALL = ("--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")


class Killed(BaseException):
    """No handler, no goodbye."""


@pytest.fixture
def office(tmp_path: Path) -> Path:
    fob_office(tmp_path / "o", "init")
    return tmp_path / "o"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The three lines."""
    assert run(arguments, Cli()) != 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "why", "try"]
    return lines


def open_to_others(folder: Path) -> list[Path]:
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def check(state: Path) -> None:
    """One data centre, whole; nothing of it is open to others; the office has two servers with keys of elsewhere."""
    folder = centre_folder(state)
    entries = {entry.name: entry for entry in read_entries(folder / DIRECTORY)}
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {*entries, "views"}
    assert not (state / BEGUN).exists()
    assert open_to_others(folder) == []
    servers = {server["name"]: server for server in json.loads(fob_office(state, "server", "list", "--json"))}
    assert [servers[name]["usages"] for name in ("metering", "boxes")] == [["metering"], ["boxes"]]
    assert {servers[name]["state"] for name in ("metering", "boxes")} == {"elsewhere"}
    # By the certificate a device knows the manufacturing box, and by that everybody else.
    key = bytes.fromhex(servers["boxes"]["signing_key"])
    assert {read_pass(key, entry.shown).name for entry in entries.values()} == set(entries)
    view = History(folder, key).newest
    assert view is not None
    assert view.number == 1


@pytest.mark.clause("M2")
def test_a_data_centre_is_made_with_a_process_for_each_role(office: Path) -> None:
    assert not has_centre(office)
    kept_in = "--keep-keys", str(office.parent / "kept")
    said = json.loads(fob_office(office, "centre", "init", "--json", "--fee", "500", *kept_in))
    assert said == {
        "centre": str(centre_folder(office)),
        "processes": 1 + sum(COUNTS.values()),
        "value_kinds": ["eur-cent"],
    }
    check(office)
    kinds = [entry.kind for entry in read_entries(centre_folder(office) / DIRECTORY)]
    assert {kind: kinds.count(kind) for kind in Kind} == {**COUNTS, Kind.MANUFACTURING: 1, Kind.OPERATOR: 1}
    kept = {path.name: path.read_text() for path in (office.parent / "kept").iterdir()}
    assert set(kept) == {"eur-cent-1.vendor", "eur-cent-1.postal"}
    assert not any(key.strip().encode() in path.read_bytes() for key in kept.values() for path in _files(office))
    assert fob_office(office, "centre", "status").splitlines()[1] == "state        stopped"
    assert json.loads(fob_office(office, "centre", "status", "--json"))["state"] == "stopped"
    assert fob_office(office, "centre", "migrate") == ""
    assert json.loads(fob_office(office, "centre", "terms", "--json")) == {"deposit": 0, "fee": 500}
    fob_office(office, "centre", "terms", "--fee", "700", "--deposit", "1000")
    assert json.loads(fob_office(office, "centre", "terms", "--json")) == {"deposit": 1000, "fee": 700}
    (kind,) = json.loads(fob_office(office, "centre", "value-kind", "list", "--json"))
    assert (kind["name"], kind["public_tokens"]) == ("eur-cent", False)


def _fill_value_kinds(state: Path) -> None:
    """As many as there may be."""
    folder = centre_folder(state)
    settings = load_centre(folder)
    (kind,) = settings.value_kinds.values()
    more = {f"kind-{number}": kind for number in range(KINDS_LIMIT - 1)}
    save_centre(folder, replace(settings, value_kinds=settings.value_kinds | more))


def _files(state: Path) -> list[Path]:
    return [path for path in state.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["authentication", "transaction"])
def test_no_box_is_added_whose_pass_devices_are_not_given(
    office: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    state = ("--state", str(office))
    assert f"--{kind}-boxes" in refused(capsys, "centre", "init", *state, f"--{kind}-boxes", str(BOXES_LIMIT + 1))[0]
    fob_office(office, "centre", "init", *SMALL, f"--{kind}-boxes", str(BOXES_LIMIT))
    entries = read_entries(centre_folder(office) / DIRECTORY)
    assert refused(capsys, "centre", "box", "add", kind, *state) == [
        f"error: no {kind} process was added",
        f"why:   a data centre has at most {BOXES_LIMIT} of this kind, of so many devices are told",
        f"try:   fob-office centre box remove {kind}-1    (or another one, and then the same command)",
    ]
    assert read_entries(centre_folder(office) / DIRECTORY) == entries
    assert not (centre_folder(office) / f"{kind}-{BOXES_LIMIT + 1}").exists()


def test_cut_off_anywhere_the_same_command_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = os.fsync
    left = 0

    def dying(descriptor: int) -> None:
        nonlocal left
        flush(descriptor)
        left -= 1
        if left == 0:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", dying)
        left = 1 << 20
        fob_office(tmp_path / "whole", "init")
        before = left
        fob_office(tmp_path / "whole", "centre", "init", *SMALL)
        steps = before - left
        # At the beginning, between any two, and after each of the last steps.
        for step in (1, steps // 3, 2 * steps // 3, *range(steps - 3, steps)):
            state = tmp_path / str(step)
            left = 0
            fob_office(state, "init")
            left = step
            with pytest.raises(Killed):
                run(["centre", "init", "--state", str(state), *SMALL, "--keep-keys", str(tmp_path / f"k{step}")], Cli())
            left = 0
            assert not has_centre(state)
            fob_office(state, "centre", "init", *SMALL, "--keep-keys", str(tmp_path / f"k{step}"))
            check(state)


def test_what_cannot_be_made_is_said_in_three_lines(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = ("--state", str(office))
    assert (
        refused(capsys, "centre", "init", "--state", str(office.parent / "none"))[0] == "error: there is no office here"
    )
    assert "--database URL" in refused(capsys, "centre", "init", *state, "--database-servers", "2")[2]
    assert "--pkcs11-token" in refused(capsys, "centre", "init", *state, "--pkcs11", "/lib/module.so")[1]
    assert refused(capsys, "centre", "init", *state, "--rates", "postage")[1] == "why:   'postage' is not NAME=1.0.0"
    # What no function server could read.
    assert "256.0.0" in refused(capsys, "centre", "init", *state, "--rates", "postage=256.0.0")[1]
    many = [part for number in range(PROGRAMS_LIMIT + 1) for part in ("--rates", f"postage-{number}=1.0.0")]
    assert "at most 32 components" in refused(capsys, "centre", "init", *state, *many)[1]
    for option in ("--ticket-age", "--deposit", "--fee"):
        assert option in refused(capsys, "centre", "init", *state, option, str(1 << 60))[0]
    for name in ("", "eur-", "eur.", "-eur"):
        assert f"{name!r} is no name" in refused(capsys, "centre", "init", *state, "--value-kind", name)[1]
    assert "fob-office centre init" in refused(capsys, "centre", "status", *state)[2]
    assert "fob-office centre init" in refused(capsys, "centre", "meter", "list", *state)[2]
    assert not (office / BEGUN).exists()
    (office / "pin").write_text("4711")
    (office / "pin").chmod(0o600)
    module = ("--pkcs11", "/none.so", "--pkcs11-token", "boxes", "--pkcs11-pin-file", str(office / "pin"))
    assert refused(capsys, "centre", "init", *state, *module)[::2] == [
        "error: the PKCS#11 module cannot be used",
        "try:   ls -l /none.so",
    ]
    fob_office(office, "centre", "init", *SMALL)
    assert "there is one in" in refused(capsys, "centre", "init", *state)[1]
    assert refused(capsys, "centre", "value-kind", "add", "eur-", *state)[1:] == [
        "why:   'eur-' is no name: small letters and digits, and . or - between them, as in eur-cent",
        "try:   fob-office centre value-kind --help",
    ]
    assert (
        refused(capsys, "centre", "log", "recover", "meter-1", *state)[1]
        == "why:   it is no transaction box, of which there are transaction-1"
    )
    _fill_value_kinds(office)
    assert refused(capsys, "centre", "value-kind", "add", "pages", *state) == [
        "error: value kind pages was not added",
        f"why:   a data centre has at most {KINDS_LIMIT} value kinds, as many as devices can show",
        "try:   fob-office centre value-kind list",
    ]
    assert "pages" not in fob_office(office, "centre", "value-kind", "list")
    # Nothing runs.
    for command in (("meter", "list"), ("meter", "stop", "FM01"), ("warnings",), ("audit",), ("box", "add", "meter")):
        assert refused(capsys, "centre", *command, *state)[1:] == [
            f"why:   the data centre in {centre_folder(office)} does not run",
            f"try:   fob-office run --state {office}",
        ]
    assert refused(capsys, "centre", "box", "remove", "meter-1", *state)[1:] == [
        "why:   meter-1 is the only one of its kind",
        "try:   fob-office centre box add meter    (and then the same command)",
    ]
    assert (
        refused(capsys, "centre", "box", "remove", "payment-1", *state)[1]
        == "why:   payment-1 stays for ever: what a payment process knows, no other one does"
    )
    assert refused(capsys, "centre", "box", "remove", "meter-7", *state)[1] == "why:   there is no meter-7"


@pytest.mark.clause("X5", "M32")
def test_software_that_this_office_has_not_released_opens_no_meters(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = ("--state", str(office))

    def check_refused(what: str, *command: str) -> None:
        for rates, why in (
            ("nosuch=1.0.0", "this office has no release of nosuch"),
            (f"{RATES}=2.0.0", f"the newest release of {RATES} is 1.0.0, which is less than 2.0.0"),
        ):
            assert refused(capsys, *command, *state, "--rates", rates) == [
                f"error: {what}",
                f"why:   nobody could sign up by it: {why}",
                "try:   fob-office component list    (and component add)",
            ]

    assert refused(capsys, "centre", "init", *state, "--rates", f"{RATES}=1.0.0")[1] == (
        f"why:   nobody could sign up by it: this office has no release of {RATES}"
    )
    fob_office(office, "component", "add", "--shipped", "--hardware", "fob-phone-1")
    check_refused("no data centre was made", "centre", "init")
    assert not (office / BEGUN).exists()
    assert not has_centre(office)
    fob_office(office, "centre", "init", *SMALL, "--rates", f"{RATES}=1.0.0")
    check_refused("value kind kwh-milli was not added", "centre", "value-kind", "add", "kwh-milli")
    assert set(load_centre(centre_folder(office)).value_kinds) == {"eur-cent"}
    # One that was withdrawn comes to nobody any more; those that hold it go on, and their value kind too.
    fob_office(office, "component", "withdraw", RATES, "1.0.0")
    check = ("centre", "value-kind", "add", "kwh-milli", "--rates", f"{RATES}=1.0.0")
    assert refused(capsys, *check, *state)[1].endswith(f"this office has no release of {RATES}")


@pytest.mark.clause("X5")
def test_a_data_centre_may_be_there_before_the_rates_that_come_with_fob(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["centre", "init", "--state", str(office), *SMALL], Cli()) == 0
    warning = (
        f"warning: nobody can sign up yet: this office has no release of {RATES}: "
        "fob-office component add --shipped --hardware H"
    )
    assert warning in capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_all_of_it_is_its_user_s_alone_whatever_the_umask(office: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        fob_office(office, "centre", "init", *SMALL)
        assert os.umask(umask) == umask
        assert open_to_others(centre_folder(office)) == []
        if umask == 0:
            # As an earlier version made it.
            centre_folder(office).chmod(0o777)
            centre = RunningCentre(office)
            centre.start()
            centre.tell("box", "add", "function")
            until(lambda: centre.has("function-2") and centre.status().is_ready)
            assert open_to_others(centre_folder(office)) == []
            centre.stop()
    finally:
        os.umask(before)


@pytest.mark.clause("M29", "M33")
def test_a_data_centre_has_one_payment_provider(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a book of its own: a charge that one did and did not answer would be done by the other once more."""
    state = ("--state", str(office))
    assert "--payment-servers" in refused(capsys, "centre", "init", *state, "--payment-servers", "2")[0]
    fob_office(office, "centre", "init", *SMALL)
    entries = read_entries(centre_folder(office) / DIRECTORY)
    provider = next(entry for entry in entries if entry.kind == Kind.PAYMENT)
    write_entries(centre_folder(office), [*entries, replace(provider, name="payment-2")])
    # In a process of its own: it sets up the log of the whole process.
    command = [*PROGRAM, "centre", "run", *state]
    why = subprocess.run(command, capture_output=True, text=True, timeout=60).stderr.splitlines()[1]
    assert why == "why:   payment-1, payment-2 keep a book each, and a card would be charged by more than one"


def test_another_data_centre_of_the_office_has_newer_keys(office: Path) -> None:
    """Whoever moves the folder away and begins anew is believed by devices by the next epoch."""
    fob_office(office, "centre", "init", *SMALL)
    centre_folder(office).rename(office.parent / "before")
    fob_office(office, "centre", "init", *SMALL)
    check(office)
    assert json.loads(fob_office(office, "server", "show", "boxes", "--json"))["epoch"] == 2


def test_an_office_whose_state_is_deep_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    near, far = Path("/srv/office/centre"), Path("/") / ("deep" * 25) / "centre"
    assert sockets_folder(near) == near / "sockets"
    assert sockets_folder(far).parent == Path("/tmp")
    assert sockets_folder(far) != sockets_folder(far / "other")
    for folder in (near, far):
        address = socket_address(sockets_folder(folder), "authentication-99")
        assert len(os.fsencode(address.removeprefix("unix:"))) <= SOCKET_LIMIT
        assert office_socket(address) == sockets_folder(folder) / "authentication-99.office"
    assert office_socket("tcp:10.0.0.7:7300") is None


def test_the_folder_of_sockets_is_its_owners_and_goes_with_the_data_centre(tmp_path: Path) -> None:
    far = tmp_path / ("deep" * 25) / "centre"
    with sockets_made(far) as made:
        assert made.stat().st_mode & 0o777 == 0o700
        (made / "meter-1.sock").touch()
    assert not made.exists()
    made.mkdir(mode=0o755)
    with pytest.raises(OperatorError, match="open to others"), sockets_made(far):
        pass
    made.rmdir()


def test_slots_are_spread_over_all_meter_boxes() -> None:
    slots = first_slots(["meter-1", "meter-2", "meter-3"])
    owners = [slot.owner for slot in slots]
    assert sorted(owners.count(name) for name in set(owners)) == [21, 21, 22]
    assert all(slot.second not in (None, slot.owner) for slot in slots)
    assert {slot.second for slot in first_slots(["meter-1"])} == {None}
