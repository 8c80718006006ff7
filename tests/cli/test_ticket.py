"""`fob ticket`: fetched, presented, read, and verified offline; every refusal by its code."""

import base64
import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.fob_program import Ended, FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from control.meter import TICKET, make_meter
from fob_daemon.cli.context import Fob
from fob_daemon.cli.main import run
from fob_daemon.control.errors import ControlError
from fob_protocol.integrity.limits import TICKET_LIMIT
from fob_protocol.office.certificate import Usage
from support import copy_samples as sample
from support.fake_device_office import FakeDeviceOffice
from support.octets import flipped
from support.office_trust import ISSUER, SERVER

KEY = sample.public(SERVER.signing).hex()
NONCE = "00" * 16


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    """The one paired device, 'pixel', with copies."""
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


def printed(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def unprinted(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))


Offline = Callable[..., Ended]


@pytest.fixture
def offline(capsys: pytest.CaptureFixture[str]) -> Offline:
    """`fob` in this process: no daemon has a part in it."""

    def fob(*arguments: str) -> Ended:
        code = run(arguments, Fob({}))
        return Ended(code, *capsys.readouterr())

    return fob


def typed(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    """At standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A ticket of an hour ago, good for an hour more, of program 'calculator' 1.4.0."""
    path = tmp_path / "ticket"
    path.write_bytes(ticket_of(3600))
    return path


def ticket_of(age: int, lifetime: int = 7200) -> bytes:
    begin = int(time.time()) - age
    return sample.ticket(time=begin, until=begin + lifetime).signed(SERVER.signing)


async def test_a_ticket_is_fetched(fob: FobProgram, meter: FakeDeviceOffice, tmp_path: Path) -> None:
    ended = await fob("ticket", "get", "rate")
    assert (ended.code, unprinted(ended.out)) == (0, TICKET)
    ended = await fob("ticket", "get", "rate", "--output", str(tmp_path / "rate.ticket"))
    assert (ended.out, (tmp_path / "rate.ticket").read_bytes()) == ("", TICKET)
    assert (await fob("ticket", "get", "rate", "--json")).json == {"program": "rate", "ticket": TICKET.hex()}
    ended = await fob("ticket", "get", "slogan")
    assert (ended.code, ended.error[0]) == (1, "there is no ticket of 'slogan'")
    ended = await fob("ticket", "get", "rate", "--output", str(tmp_path / "nowhere" / "file"))
    assert (ended.code, ended.error[0]) == (1, "nothing was written")


@pytest.mark.clause("V18")
async def test_a_ticket_is_presented(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("ticket", "present", "rate", "--audience", "work.example", "--nonce", NONCE)
    assert (ended.code, unprinted(ended.out)) == (0, TICKET + str(("work.example", bytes(16))).encode())
    assert meter.asked == ["+FOBPRESENT"]
    for audience, nonce in (("", NONCE), ("a" * 129, NONCE), ("a", "00" * 15), ("a", "00" * 65), ("a", "0")):
        assert (await fob("ticket", "present", "rate", "--audience", audience, "--nonce", nonce)).code == 2
    assert meter.asked == ["+FOBPRESENT"]


async def test_this_computers_own(fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    assert unprinted((await fob("ticket", "get", "fobd")).out) == b"\xd2own ticket"
    ended = await fob("ticket", "present", "fobd", "--audience", "work", "--nonce", NONCE)
    assert unprinted(ended.out) == b"\xd2own ticketwork" + bytes(16)
    assert meter.asked == []
    daemon.integrity.error = ControlError("there is no ticket of 'fobd'", "it is not enrolled", "fob integrity enrol")
    assert (await fob("ticket", "get", "fobd")).error[2] == "fob integrity enrol"
    assert (await fob("ticket", "get", "fobd", "--device", "pixel")).error[1].startswith("no program 'fobd'")


def test_what_a_ticket_says(offline: Offline, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = offline("ticket", "show", str(file))
    fields = dict(line.split(maxsplit=1) for line in ended.out.splitlines()[:4])
    assert (fields["program"], fields["version"], fields["server"]) == ("calculator", "1.4.0", "office")
    assert ended.err == "Nobody has verified this.    to do it: fob ticket verify\n"
    assert offline("ticket", "show", str(file), "--json").json["program_number"] == 1
    typed(monkeypatch, b"no ticket")
    ended = offline("ticket", "show", "-")
    assert (ended.code, ended.error[0]) == (1, "that is no ticket")
    assert offline("ticket", "show", "/nowhere").code == 2


@pytest.mark.clause("V12")
def test_a_good_ticket_is_verified_without_a_daemon(
    offline: Offline, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_base64 = printed(ticket_of(60))
    certificate = tmp_path / "certificate"
    certificate.write_bytes(SERVER.certificate(usages=(Usage.VALIDATION,)).signed(ISSUER))
    for options in (
        ("--key", KEY), ("--certificate", str(certificate)), ("--key", KEY, "--max-age", "2h"),
        ("--key", KEY, "--program", "other>=9.0.0", "--program", "calculator>=1.4.0"),
        ("--key", KEY, "--program", "calculator"),
    ):  # fmt: skip
        ended = offline("ticket", "verify", str(file), *options)
        assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "program         calculator"
    typed(monkeypatch, f"{in_base64}\n".encode())
    ended = offline("ticket", "verify", "-", "--key", KEY, "--json")
    assert (ended.code, ended.json["holder"]) == (0, sample.ticket().holder.hex())


@pytest.mark.clause("V12", "V14", "V18")
@pytest.mark.parametrize(
    ("token", "options", "code"),
    [
        (ticket_of(3600), ("--max-age", "59min"), "too-old"),
        (ticket_of(3600), ("--program", "calculator>=1.4.1"), "other-program"),
        (ticket_of(3600), ("--program", "other"), "other-program"),
        (ticket_of(9000), (), "expired"),
        (ticket_of(-3600), (), "not-yet-valid"),
        (flipped(ticket_of(3600)), (), "wrong-signature"),
        (b"\xd2nothing", (), "malformed"),
        (b"a letter to Santa", (), "malformed"),
        (bytes([0xD2]) * (TICKET_LIMIT + 1), (), "too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_has_three_lines_and_a_code(
    offline: Offline, tmp_path: Path, token: bytes, options: tuple[str, ...], code: str
) -> None:
    (tmp_path / "ticket").write_bytes(token)
    ended = offline("ticket", "verify", str(tmp_path / "ticket"), "--key", KEY, *options)
    assert (ended.code, ended.out, ended.error[0]) == (1, "", "the ticket is refused")
    assert ended.error[1].endswith(f"({code})")


def test_a_file_that_is_much_larger_than_a_ticket_is_not_read_as_one(offline: Offline, tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(bytes(5_000_000))
    for command in (("verify", "--key", KEY), ("show",)):
        ended = offline("ticket", command[0], str(tmp_path / "film"), *command[1:])
        assert (ended.code, ended.error[0]) == (2, "the ticket was not read")
        assert ended.error[1].endswith("film has more than 4,096 octets, which no ticket has")


def test_another_servers_key_and_what_is_no_use(offline: Offline, file: Path, tmp_path: Path) -> None:
    assert offline("ticket", "verify", str(file), "--key", "00" * 32).error[1].endswith("(wrong-signature)")
    certificate = tmp_path / "certificate"
    for content in (b"", SERVER.certificate(usages=(Usage.CONFIGURATION,)).signed(ISSUER)):
        certificate.write_bytes(content)
        assert offline("ticket", "verify", str(file), "--certificate", str(certificate)).code == 2
    for options in (
        (), ("--key", "00"), ("--key", KEY, "--certificate", str(certificate)), ("--key", KEY, "--max-age", "1"),
        ("--key", KEY, "--max-age", "1y"), ("--key", KEY, "--program", "a>=1"), ("--key", KEY, "--program", "a>1.0.0"),
        ("--key", KEY, "--program", "a>=1.0.256"), ("--certificate", "/nowhere"),
    ):  # fmt: skip
        assert offline("ticket", "verify", str(file), *options).code == 2
