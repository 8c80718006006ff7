"""`fob office`: status, configuration with a bar, registration at a terminal, use; every error in three lines."""

import asyncio
import io
import os
import pty
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli.fob_program import FOB, Ended, FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from control.meter import make_meter
from fob_daemon.cli.office_bar import OfficeBar, bar
from fob_daemon.cli.output import Output
from fob_daemon.control.office_reports import OfficeReport, Progress, Relayed, RelayReport
from fob_protocol.at.values import Values
from fob_protocol.office.hashing import digest
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import FakeDeviceOffice, refusing, saying
from support.history import PC

URL = "https://office.example"
RELAY = RelayReport("pixel", False, 7, 1, "content", "rates", 3, 40, "unreachable", "it hung up", 0.25)


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    """The one paired device, 'pixel', with a back office."""
    daemon.office_report = OfficeReport(URL, "", (RELAY,))
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


class Terminal(io.StringIO):
    """Keeps what is written on it."""

    def isatty(self) -> bool:
        return True


async def at_a_terminal(fob: FobProgram, typed: str, *arguments: str) -> Ended:
    """A run whose standard input is a terminal, at which somebody has typed already."""
    master, slave = pty.openpty()
    os.write(master, typed.encode())
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *FOB, *arguments, stdin=slave, stdout=pipe, stderr=pipe, env=fob.variables()
    )
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        os.close(slave)
        os.close(master)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_the_status_for_a_person(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("office", "status")
    assert ended.out.splitlines() == [
        "office   https://office.example",
        f"computer {digest(PC).hex()}",
        "",
        "DEVICE  STATE    SET  SERIAL  HARDWARE  RELAY",
        "pixel   running  3    M-0001  meter-1   7 carried, 1 not answered; the last: it hung up",
        "",
        "DEVICE  SERVER  TITLE     APPLICATION  REGISTERED",
        "pixel   post    The post  postage      as ada",
        "pixel   bank    The bank  money        no",
        "",
        "DEVICE  UPGRADE        INSTALLED  NEWEST",
        "pixel   Postage rates  1.2.0      1.3.0",
    ]
    assert ended.err == "try:   fob office configure\n"


async def test_the_status_for_a_script(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    answer = (await fob("office", "status", "--json")).json
    assert (answer["url"], answer["unasked"]) == (URL, [])
    [device] = answer["devices"]
    assert (device["device"], device["office"]["set_number"], device["relay"]["failures"]) == ("pixel", 3, 1)
    assert [server["id"] for server in device["servers"]] == ["post", "bank"]
    assert [(option["id"], option["newest"]) for option in device["options"]] == [("rate", "1.3.0"), ("slogan", "")]


async def test_a_device_that_was_refused_says_so_in_words(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", 0, 0, "generic", "denied", 0, 0))
    said = "generic: the office does not serve this device: it does not know it, or has no order for it (denied)"
    assert said in (await fob("office", "status")).out


@pytest.mark.parametrize(
    ("relay", "lines"),
    [
        (replace(RELAY, why="", result="answered"), []),
        (RELAY, ["'pixel' had no answer from its office: it hung up    try: fob office status"]),
        (
            replace(RELAY, doing=Progress("pixel", "fetching Rates", 3, 40)),
            ["'pixel' is fetching Rates, 7 %    to watch: fob monitor"],
        ),
        (
            replace(RELAY, why="", newer=2),
            ["'pixel' has newer versions of 2 components    try: fob office configure"],
        ),
    ],
)
async def test_the_status_of_all_has_a_line_when_there_is_something_to_know(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice, relay: RelayReport, lines: list[str]
) -> None:
    daemon.office_report = OfficeReport(URL, "", (relay,))
    said = [line for line in (await fob("status")).out.splitlines() if line.startswith("'pixel'")]
    assert (said, meter.asked) == (lines, [])


async def test_a_device_at_work(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", 0, 0, "fetching", "rates\x1b[2J", 3, 40))
    assert "pixel   fetching: rates\ufffd[2J 3/40  0" in (await fob("office", "status")).out


async def test_a_phone_without_a_back_office_does_not_hide_the_meter(
    fob: FobProgram, meter: FakeDeviceOffice, daemon: FakeDaemon
) -> None:
    daemon.add_phone("nokia", FakePhone("Nokia", "FOB-0002"))
    ended = await fob("office", "status")
    assert (ended.code, "pixel" in ended.out) == (0, True)
    assert ended.err.startswith("'nokia' was not asked: 'nokia' has no such command: it has no back office")
    ended = await fob("office", "status", "--device", "nokia")
    assert (ended.code, ended.error[0]) == (1, "'nokia' did not tell what it is to its office")


async def test_no_office_and_no_device(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("office", "status")
    assert (ended.code, ended.out) == (
        0,
        "office   none is configured; a device with a network of its own needs none here\n",
    )
    assert (await fob("office", "configure")).code == 4


@pytest.mark.parametrize(("set_number", "purpose"), [(0, 1), (3, 2)])
async def test_a_configuration_with_what_is_done_meanwhile(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice, set_number: int, purpose: int
) -> None:
    def configure(values: Values) -> tuple[Values, ...]:
        assert values == (purpose,)
        for done in range(3):
            daemon.announce(Progress("pixel", "fetching rate", done, 2))
        daemon.announce(Relayed("pixel", "report", "", 0, 0, "unreachable", "it hung up", 0.1))
        meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", 4, 17, "running", "", 0, 0))
        return ()

    meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", set_number, 17, "running", "", 0, 0))
    meter.handlers["+FOBCONFIGURE"] = configure
    ended = await fob("office", "configure")
    assert ended.code == 0
    assert ended.err.splitlines() == [
        "fetching rate ...",
        "it hung up; it is tried again ...",
        "Set 4 runs on 'pixel'.",
    ]
    assert ended.out.splitlines() == [
        "ID      VERSION  NEWER  KIND    OCTETS  TITLE          COMMANDS",
        "rate    1.2.0    1.3.0  module  4096    Postage rates  +XRATE +XZONE",
        "slogan  2.0.1    -      data    76800   A slogan",
    ]


async def test_a_configuration_that_is_under_way_says_at_once_how_far_it_is(
    fob: FobProgram, meter: FakeDeviceOffice
) -> None:
    meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", 3, 17, "fetching", "fetching rate", 45, 85))
    assert (await fob("office", "configure")).err.splitlines()[0] == "fetching rate ..."
    meter.handlers["+FOBOFFICE"] = saying(("M-0001", "meter-1", 3, 17, "running", "denied", 0, 0))
    assert (await fob("office", "configure")).err.splitlines() == ["Set 3 runs on 'pixel'."]


async def test_a_look_changes_nothing(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def configure(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return ()

    meter.handlers["+FOBCONFIGURE"] = configure
    ended = await fob("office", "configure", "--look")
    assert (ended.code, arrived) == (0, [(3,)])
    assert ended.err.splitlines() == ["1 of 2 options have a newer version.", "try:   fob office configure"]
    answer = (await fob("office", "configure", "--look", "--json")).json
    assert (answer["device"], answer["options"][0]["newest"]) == ("pixel", "1.3.0")
    meter.handlers["+FOBOPTIONS"] = saying()
    assert (await fob("office", "configure", "--look")).err == "No option has a newer version.\n"


async def test_a_configuration_that_is_refused(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    meter.handlers["+FOBCONFIGURE"] = refusing(Ckr.FUNCTION_REJECTED, "denied")
    ended = await fob("office", "configure")
    why = "the office does not serve this device: it does not know it, or has no order for it (denied)"
    assert (ended.code, ended.error) == (1, ["'pixel' was not configured", why, "ask who runs the office"])


async def test_the_bar_on_a_terminal(fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    def configure(values: Values) -> tuple[Values, ...]:
        daemon.announce(Progress("pixel", "fetching\x1b[2J", 20, 40))
        return ()

    meter.handlers["+FOBCONFIGURE"] = configure
    master, slave = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *FOB, "office", "configure", stdin=slave, stdout=asyncio.subprocess.PIPE, stderr=slave, env=fob.variables()
    )
    await process.communicate()
    os.close(slave)
    shown = os.read(master, 65_536).decode()
    os.close(master)
    assert process.returncode == 0
    assert "████████████············  50 %  fetching\ufffd[2J" in shown


def test_the_bar_says_how_long_it_still_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, now = Terminal(), [0.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    with OfficeBar(Output(), lambda: now[0]) as bar:
        for step in range(3):
            bar.show("fetching Rates of the whole wide world", 6 + step, 10)
            now[0] += 9.0
        bar.say("Look at your phone: log in to github.com")
        bar.show("", 0, 0)
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown[1] == "██████████████··········  60 %  fetching Rates of the whole wide world"
    assert shown[3] == "███████████████████·····  80 %  fetching Rates …ole wide world  about 20 s left"
    # The line is cleared for words of others, and drawn again below them; at the end it is left as it is.
    assert shown[4:] == [f"Look at your phone: log in to github.com\n{shown[3]}\n"]
    assert max(map(len, shown[1:4])) < 80


@pytest.mark.parametrize(
    ("done", "total", "drawn"),
    [(0, 0, "····     "), (0, 8, "····   0 %"), (4, 8, "██··  50 %"), (8, 8, "████ 100 %"), (9, 8, "████ 100 %")],
)
def test_how_far_it_is(done: int, total: int, drawn: str) -> None:
    assert bar(done, total, 4) == drawn


async def test_a_registration_from_a_script(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("office", "register", "bank", "--name", "ada", "--field", "city=Bern", "--json")
    assert (ended.code, ended.json) == (0, {"device": "pixel", "server": "bank"})
    ended = await fob("office", "register", "bank", "--name", "ada")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-2:] == ["Registered as 'ada'.", "try:   fob office entitled bank"]


async def test_a_registration_at_a_terminal_asks_for_what_is_missing(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def register(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return (("Join the bank", 1), ("name", "Name", 64, 1), ("city", "City", 8, 0), ("iban", "Account", 34, 1))

    meter.handlers["+FOBREGISTER"] = register
    ended = await at_a_terminal(fob, "  Ada \u00c4\n\n", "office", "register", "bank", "--field", "iban=CH00")
    assert ended.code == 0, ended.err
    assert arrived == [("bank", 0), ("bank", 2, "name", "Ada \u00c4", "iban", "CH00")]
    assert "Join the bank:" in ended.err
    assert "City (may be left out): " in ended.err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "'Name' is needed, and was not given"),
        (("--name", "ada", "--field", "age=5"), "there is no field 'age'; there are name, city"),
        (("--name", "ada", "--field", "city=La Chaux-de-Fonds"), "'City' has to be a text of 1 to 8 octets in UTF-8"),
        (("--name", "a\x1bda"), "'Name' has characters that cannot be shown"),
        (("--field", "city"), None),
        (("--field", "=Bern"), None),
        (("--name", "ada", "--field", "name=bob"), None),
    ],
)
async def test_what_cannot_be_filled_in(
    fob: FobProgram, meter: FakeDeviceOffice, arguments: tuple[str, ...], why: str | None
) -> None:
    ended = await fob("office", "register", "bank", *arguments)
    assert ended.code == 2
    assert why is None or ended.error[:2] == ["not registered", why]
    assert meter.asked.count("+FOBREGISTER") == (why is not None)


async def test_a_name_that_is_taken(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    def register(values: Values) -> tuple[Values, ...]:
        if values[1]:
            raise CkrError(Ckr.FUNCTION_REJECTED, "name-taken")
        return (("Join", 1), ("name", "Name", 64, 1))

    meter.handlers["+FOBREGISTER"] = register
    ended = await fob("office", "register", "bank", "--name", "ada")
    assert (ended.code, ended.error) == (
        1,
        [
            "not registered",
            "somebody else is registered there by that name (name-taken)",
            "the same command with another --name",
        ],
    )


async def test_a_pin_for_a_device_without_a_pad(fob: FobProgram, meter: FakeDeviceOffice, phone: FakePhone) -> None:
    def use(values: Values) -> tuple[Values, ...]:
        if not phone.logins:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN)
        return ((200, b"done"),)

    meter.handlers["+FOBUSE"] = use
    ended = await fob("office", "use", "post", "postage", "quote")
    assert (ended.code, ended.error[2]) == (2, "the same command with --pin-file FILE")
    ended = await fob("office", "use", "post", "postage", "quote", "--pin-file", "-", stdin=PIN.decode())
    assert (ended.code, ended.out, phone.logins) == (0, "done\n", [PIN])


async def test_what_the_device_may_do(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    assert (await fob("office", "entitled", "post")).out.splitlines() == [
        "version 4, active, until 2030-03-17 17:46:40, as the server said at 2030-03-17 15:00:00",
        "APPLICATION  LEVEL",
        "archive      1",
        "postage      2",
    ]
    answer = (await fob("office", "entitled", "post", "--json")).json
    assert (answer["server"], answer["applications"]) == ("post", {"postage": 2, "archive": 1})
    meter.handlers["+FOBENTITLED"] = saying((0, 1, 0))
    assert (await fob("office", "entitled", "post")).out == "the server has not told the device yet\n"
    meter.handlers["+FOBENTITLED"] = refusing(Ckr.ARGUMENTS_BAD)
    assert (await fob("office", "entitled", "shop")).error[1:] == [
        "the device knows no such server (CKR_ARGUMENTS_BAD)",
        "fob office status",
    ]


async def test_an_application_is_asked(fob: FobProgram, meter: FakeDeviceOffice, tmp_path: Path) -> None:
    source, target = tmp_path / "letter", tmp_path / "answer"
    source.write_bytes(b"dear \xff")
    ended = await fob("office", "use", "post", "postage", "quote", "--input", "-", stdin="dear \x1b[2J")
    assert (ended.code, ended.out) == (0, "DEAR \ufffd[2J\n")
    ended = await fob("office", "use", "post", "postage", "quote", "--input", str(source), "--output", str(target))
    assert (ended.code, ended.out, target.read_bytes()) == (0, "", b"DEAR \xff")
    answer = (await fob("office", "use", "post", "postage", "quote", "--input", str(source), "--json")).json
    assert (answer["status"], answer["body"]) == (200, b"DEAR \xff".hex())
    ended = await fob("office", "use", "post", "postage", "nothing")
    assert (ended.code, ended.err) == (1, "'postage' answered 404.\n")


async def test_what_cannot_be_sent_or_written(fob: FobProgram, meter: FakeDeviceOffice, tmp_path: Path) -> None:
    use = ("office", "use", "post", "postage", "quote")
    assert (await fob(*use, "--input", str(tmp_path / "missing"))).error[0] == "nothing was sent"
    ended = await fob(*use, "--input", "-", stdin="a" * 8193)
    assert (ended.code, ended.error[1]) == (2, "- has more than 8,192 octets")
    assert meter.asked == []
    assert (await fob(*use, "--output", str(tmp_path / "missing" / "file"))).error[0] == "the answer was lost"


async def test_without_a_daemon(lonely_fob: FobProgram) -> None:
    for arguments in (("status",), ("configure",), ("register", "post"), ("entitled", "post")):
        assert (await lonely_fob("office", *arguments)).code == 3


def test_the_daemon_is_all_that_it_talks_to() -> None:
    """`fob office` loads no HTTP client of aiohttp's, and no cryptography."""
    import subprocess

    code = "import sys, fob_daemon.cli.office, fob_daemon.cli.options; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {"aiohttp", "cryptography", "structlog", "msgspec"} & set(loaded) == set()
