"""`fob options`: what runs on the device, what is in it, and its commands with their values."""

from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from control.meter import CONTENT, make_meter
from fob_daemon.cli.option_values import value_of
from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from support.fake_device_office import FakeDeviceOffice, refusing, saying


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


async def test_the_list(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    assert (await fob("options", "list")).out.splitlines() == [
        "ID      VERSION  NEWER  KIND    OCTETS  TITLE          COMMANDS",
        "rate    1.2.0    1.3.0  module  4096    Postage rates  +XRATE +XZONE",
        "slogan  2.0.1    -      data    76800   A slogan",
    ]
    answer = (await fob("options", "list", "--json")).json
    assert (answer["device"], answer["options"][0]["commands"]) == ("pixel", ["+XRATE", "+XZONE"])
    meter.handlers["+FOBOPTIONS"] = saying()
    ended = await fob("options", "list")
    assert (ended.out, ended.err) == ("", "'pixel' runs no option.    try: fob office configure\n")


async def test_one_of_them(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    assert (await fob("options", "show", "rate")).out.splitlines() == [
        "id        rate",
        "version   1.2.0",
        "kind      module",
        "title     Postage rates",
        "octets    4096",
        "newest    1.3.0",
        "commands  +XRATE +XZONE",
    ]
    assert (await fob("options", "show", "slogan", "--json")).json["octets"] == len(CONTENT)
    ended = await fob("options", "show", "towns")
    assert (ended.code, ended.error[0]) == (1, "there is no option 'towns'")


async def test_one_that_does_not_run_says_why(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("options", "show", "zones")
    assert (ended.code, ended.error) == (1, [
        "'zones' does not run on 'pixel'", "somebody has to type the letter of this copy in (needs-letter)",
        "fob integrity letter zones",
    ])  # fmt: skip


async def test_a_command_of_what_is_not_enabled_names_the_program_and_why(
    fob: FobProgram, meter: FakeDeviceOffice
) -> None:
    meter.handlers["+XRATE"] = refusing(Ckr.GENERAL_ERROR, "not-validated: table out-of-sequence")
    ended = await fob("options", "run", "XRATE", "1")
    assert ended.error == [
        "+XRATE was not done",
        "'table' is not enabled: the office does not remember what it told this copy last (out-of-sequence)",
        "ask who runs the office: fob-office copy resynchronise",
    ]
    meter.handlers["+XRATE"] = refusing(Ckr.FUNCTION_REJECTED, "disabled: table")
    why = (await fob("options", "run", "XRATE", "1")).error[1]
    assert why == "'table' is not enabled: the office has disabled this copy (disabled)"


async def test_its_content_page_by_page(fob: FobProgram, meter: FakeDeviceOffice, tmp_path: Path) -> None:
    target = tmp_path / "slogan.bin"
    ended = await fob("options", "show", "slogan", "--output", str(target))
    assert (ended.code, ended.out, ended.err) == (0, "", f"{target}: 76,800 octets.\n")
    assert target.read_bytes() == CONTENT
    assert meter.asked.count("+FOBOPTION") == 3
    answer = (await fob("options", "show", "slogan", "--output", str(target), "--json")).json
    assert answer == {"device": "pixel", "id": "slogan", "path": str(target), "octets": len(CONTENT)}


@pytest.mark.parametrize(
    "page", [(10, b""), (10, b"x" * 11), ((1 << 20) + 1, b"x")], ids=["no end", "too much", "too large"]
)
async def test_a_content_that_is_no_whole(
    fob: FobProgram, meter: FakeDeviceOffice, tmp_path: Path, page: Values
) -> None:
    meter.handlers["+FOBOPTION"] = saying(page)
    ended = await fob("options", "show", "slogan", "--output", str(tmp_path / "slogan"))
    assert (ended.code, ended.error[0]) == (1, "'slogan' was not read")
    assert not (tmp_path / "slogan").exists()


@pytest.mark.parametrize("command", ["XRATE", "+XRATE", "xrate"])
async def test_a_command_and_its_answer(fob: FobProgram, meter: FakeDeviceOffice, command: str) -> None:
    ended = await fob("options", "run", command, "20", "letter", "domestic")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"80  cent  hex:{b'letter domestic'.hex()}", "1"]


async def test_a_command_for_a_script(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    assert (await fob("options", "run", "XRATE", "20", "letter", "domestic", "--json")).json == {
        "device": "pixel",
        "command": "+XRATE",
        "lines": [[80, "cent", {"hex": b"letter domestic".hex()}], [1]],
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("20", 20),
        ("007", 7),
        (str(2**64 - 1), 2**64 - 1),
        ("text:20", "20"),
        ("text:", ""),
        ("-5", "-5"),
        ("1.5", "1.5"),
        ("\u0663", "\u0663"),
        ("", ""),
        ("hex:0a0B", {"hex": "0a0B"}),
        ("hex:", {"hex": ""}),
        ("text:hex:00", "hex:00"),
        ("1" * 21, "1" * 21),
    ],
)
def test_what_a_word_stands_for(word: str, value: object) -> None:
    assert value_of(word) == value


@pytest.mark.parametrize("word", ["hex:0", "hex:zz", "hex:0a 0b", str(2**64)])
async def test_a_word_that_stands_for_nothing(fob: FobProgram, meter: FakeDeviceOffice, word: str) -> None:
    ended = await fob("options", "run", "XRATE", word)
    assert (ended.code, len(ended.error), meter.asked) == (2, 3, [])


async def test_a_text_may_begin_with_a_dash(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def rate(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return ()

    meter.handlers["+XRATE"] = rate
    ended = await fob("options", "run", "XRATE", "--", "-5", "--json")
    assert (ended.code, ended.out, arrived) == (0, "", [("-5", "--json")])


@pytest.mark.parametrize("command", ["RATE", "FOBUNPAIR", "C_SIGN"])
async def test_only_components_have_commands_here(fob: FobProgram, meter: FakeDeviceOffice, command: str) -> None:
    assert (await fob("options", "run", command)).code == 2
    assert meter.asked == []


async def test_a_command_that_is_not_there_yet(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("options", "run", "XSLOGAN")
    why = "'pixel' has no such command: it has no back office, or runs no option with it (CKR_FUNCTION_NOT_SUPPORTED)"
    assert (ended.code, ended.error) == (1, ["+XSLOGAN was not done", why, "fob options list"])


async def test_values_that_it_does_not_take_and_a_component_that_fails(
    fob: FobProgram, meter: FakeDeviceOffice
) -> None:
    ended = await fob("options", "run", "XRATE", "letter")
    assert (ended.code, ended.error[1]) == (1, "the values are not what +XRATE takes (CKR_ARGUMENTS_BAD)")
    meter.handlers["+XRATE"] = refusing(Ckr.GENERAL_ERROR, "out-of-fuel")
    ended = await fob("options", "run", "XRATE", "20")
    assert (ended.code, ended.error[1]) == (1, "the component took too long, and was stopped (out-of-fuel)")


async def test_what_a_component_says_does_not_steer_the_terminal(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    meter.handlers["+XRATE"] = saying(("a\x1b[2Jb\nc",))
    assert (await fob("options", "run", "XRATE")).out == "a\ufffd[2Jb\ufffdc\n"


async def test_without_a_daemon(lonely_fob: FobProgram) -> None:
    for arguments in (("list",), ("show", "rate"), ("run", "XRATE")):
        assert (await lonely_fob("options", *arguments)).code == 3
