"""`fob status`, `fob devices`, `fob unpair`: for people and for scripts."""

from cli.fob_program import FobProgram
from control.fake_daemon import URL, FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.interface import DeviceState


async def test_status_for_a_script(fob: FobProgram, phone: FakePhone) -> None:
    before = await fob("--json", "status")
    behind = await fob("status", "--json")

    assert (before.code, before.err) == (0, "")
    assert before.json == behind.json
    device = before.json["devices"][0]
    wanted = ("url", "state", "round_trips", "bytes_sent", "bytes_received", "reconnects")
    assert [device[name] for name in wanted] == [URL, "ready", 12, 345, 678, 0]


async def test_status_for_a_person(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")

    ended = await fob("status")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "fobd 0.1.0, process 77, running for 1.0 h\n"
        "\n"
        "DEVICE  STATE  TRIPS  SENT  RECEIVED  RECONNECTS  OBJECTS  URL\n"
        "pixel   away   12     345   678       0           4        serial:/dev/ttyUSB7?baud=115200  the line ended\n"
        "\n"
        "PROGRAM  PROCESS  BY     SESSIONS  LOGGED IN  COMMAND\n"
        "ssh      4242     agent  1         yes        ssh build.example\n"
    )


async def test_a_login_that_the_agent_holds_is_shown_also_without_a_program(
    fob: FobProgram, daemon: FakeDaemon
) -> None:
    daemon.clients, daemon.agent_logged_in = (), True

    assert (await fob("status")).out.splitlines()[3:] == [
        "",
        "the ssh agent holds a login    to end it: fob lock",
        "",
        "no programs connected",
    ]


async def test_nothing_there_yet(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.clients = ()

    assert (await fob("status")).out.splitlines()[1:] == ["", "no devices", "", "no programs connected"]
    ended = await fob("devices")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "No device is paired.    try: fob pair URL\n"
    assert (await fob("devices", "--json")).json == {"devices": []}


async def test_devices(fob: FobProgram, phone: FakePhone) -> None:
    assert (await fob("devices")).out == (
        "NAME   STATE  SERIAL    TOKEN        SLOT  URL\n"
        "pixel  ready  FOB-0001  Ada's token  1     serial:/dev/ttyUSB7?baud=115200\n"
    )


async def test_unpair(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    ended = await fob("unpair", "nokia")
    assert ended.code == 4
    assert ended.error == ["no device is called 'nokia'", "there are 'pixel'", "fob devices"]

    ended = await fob("unpair", "pixel")
    assert (ended.code, ended.out, ended.err) == (0, "", "'pixel' is no longer paired.\n")
    assert daemon.devices == {}


async def test_a_phone_that_still_trusts_this_computer_is_told_of(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
    ended = await fob("unpair", "pixel")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        "'pixel' is no longer paired.",
        "warning: the phone was not told (it is away)",
        "try:   remove 'me@pc' on the phone",
    ]

    daemon.add_phone("pixel", phone)
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
    assert (await fob("unpair", "pixel", "--json")).json == {
        "device": "pixel",
        "phone_forgot": False,
        "why": "the phone was not told (it is away)",
        "next": "remove 'me@pc' on the phone",
    }


async def test_what_a_phone_calls_itself_cannot_move_the_cursor(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.add_phone("pixel", FakePhone("\x1b[2Jtoken\n", "FOB-0001"))

    assert "\x1b" not in (await fob("devices")).out
    assert (await fob("devices", "--json")).json["devices"][0]["label"] == "\x1b[2Jtoken\n"
