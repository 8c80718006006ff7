"""Certificates of the data centre's servers: made where their keys are, renewed in time, and never without them."""

import json
from pathlib import Path

import pytest

from fob_office.centre.function.settings import read_settings
from fob_office.centre.operating.certificates import function_folders
from fob_office.centre.places import centre_folder
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.issuer.lists import DAY
from fob_office.issuer.service import CERTIFICATE_DAYS
from fob_office.surroundings import SYSTEM, Surroundings
from fob_protocol.office.envelope import Service, ask, open_question
from support.office_process import fob_office

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "2")
# What no renewal changes.
KEPT = ("epoch", "signing_key", "state")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    fob_office(tmp_path / "o", "init")
    fob_office(tmp_path / "o", "centre", "init", *SMALL)
    return tmp_path / "o"


def server(state: Path, name: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(fob_office(state, "server", "show", name, "--json"))
    return shown


def due(state: Path) -> list[str]:
    found: dict[str, list[str]] = json.loads(fob_office(state, "centre", "status", "--json"))
    return found.get("due", [])


def refusal(capsys: pytest.CaptureFixture[str], state: Path, *arguments: str) -> list[str]:
    assert run([*arguments, "--state", str(state)], Cli()) == 1
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("name", ["metering", "boxes"])
def test_the_office_makes_no_keys_that_the_data_centre_has_not(
    state: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = server(state, name)
    assert refusal(capsys, state, "server", "change-keys", name) == [
        f"error: the keys of {name} were not changed",
        "why:   its private keys are in the data centre, which makes them itself",
        "try:   fob-office centre renew",
    ]
    assert refusal(capsys, state, "server", "revoke", name, "--old")[2] == "try:   fob-office centre renew --new-keys"
    assert refusal(capsys, state, "server", "add", "other", "--usage", name)[2] == "try:   fob-office centre init"
    assert server(state, name) == before


def test_certificates_are_renewed_with_the_same_keys(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: server(state, name) for name in ("metering", "boxes")}
    later = (CERTIFICATE_DAYS - 29) * DAY
    cli = Cli(surroundings=Surroundings(lambda: SYSTEM.clock() + later, SYSTEM.random))
    assert run(["centre", "status", "--json", "--state", str(state)], cli) == 0
    said = [line for line in json.loads(capsys.readouterr().out)["due"] if "metering" in line or "boxes" in line]
    assert [line.partition(": ")[2] for line in said] == ["fob-office centre renew"] * 2
    assert run(["centre", "renew", "--state", str(state)], cli) == 0
    for name, shown in before.items():
        after = server(state, name)
        assert [after[key] for key in KEPT] == [shown[key] for key in KEPT]
        assert int(str(after["not_after"])) - int(str(shown["not_after"])) in range(later - 60, later + 60)
    for folder in function_folders(centre_folder(state), SYSTEM):
        assert read_settings(folder).identity.certificate.not_after == server(state, "metering")["not_after"]
    # Once more changes nothing but the end.
    assert run(["centre", "renew", "--state", str(state)], cli) == 0


@pytest.mark.parametrize(("days", "said"), [(335, ""), (337, "ends in 28 days"), (367, "is over")])
def test_passes_that_nobody_renews_are_told(
    state: Path, capsys: pytest.CaptureFixture[str], days: int, said: str
) -> None:
    later = days * DAY + DAY // 2
    cli = Cli(surroundings=Surroundings(lambda: SYSTEM.clock() + later, SYSTEM.random))
    assert run(["centre", "status", "--json", "--state", str(state)], cli) == 0
    passes = [line for line in json.loads(capsys.readouterr().out).get("due", []) if "pass" in line]
    assert passes == [
        f"the first pass of the data centre's processes {said} (a data centre that runs renews it "
        "before, if its manufacturing box answers; and each start those here): fob-office centre status"
    ] * bool(said)


def test_new_keys_are_in_the_folders_and_what_is_sealed_to_the_old_ones_is_still_understood(state: Path) -> None:
    folders = function_folders(centre_folder(state), SYSTEM)
    before = read_settings(folders[0]).identity.certificate
    fob_office(state, "centre", "renew", "--new-keys")
    first, second = (read_settings(folder) for folder in folders)
    now = first.identity.certificate
    assert (now.epoch, now.sealing_key != before.sealing_key) == (before.epoch + 1, True)
    assert second.identity.certificate == now
    assert server(state, "metering")["signing_key"] == now.signing_key.hex()
    for certificate, identity in zip((now, before), first.identities, strict=True):
        sealed = ask(certificate, Service.METERING, b"x", SYSTEM.random).sealed
        assert open_question(identity.sealing_key, Service.METERING, sealed).body == b"x"
    fob_office(state, "server", "revoke", "metering", "--old")
    assert due(state) == []


def test_the_validation_servers_new_keys_are_taken_up(state: Path) -> None:
    assert due(state) == []
    fob_office(state, "server", "change-keys", "integrity")
    assert due(state) == [
        f"function-{number} admits no ticket of the validation server's newest keys: fob-office centre renew"
        for number in (1, 2)
    ]
    fob_office(state, "centre", "renew")
    assert due(state) == []


def test_cut_off_between_two_servers_the_same_command_goes_on(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    async def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("fob_office.centre.operating.certificates.restart", killed)
        with pytest.raises(Killed):
            run(["centre", "renew", "--new-keys", "--state", str(state)], Cli())
    assert server(state, "metering")["epoch"] == 1
    assert due(state) == ["function-1 has other keys than devices are told of: fob-office centre renew"]
    fob_office(state, "centre", "renew")
    assert (server(state, "metering")["epoch"], due(state)) == (2, [])
    epochs = [
        read_settings(folder).identity.certificate.epoch for folder in function_folders(centre_folder(state), SYSTEM)
    ]
    assert epochs == [2, 2]
