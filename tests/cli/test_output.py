"""What `fob` prints of texts that come from elsewhere: nothing in them steers the terminal, and JSON is exact."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import PIN, FakePhone
from fob_daemon.cli.output import Output, Painted, printable
from fob_daemon.control.errors import ControlError
from fob_daemon.control.interface import ClientReport, ClientSocket
from fob_protocol.pkcs11.cka import Cka

CLEAR_SCREEN = "\x1b[2J"
HIDE_THE_REST = "\x1b[8m"
RED = "\x1b[31m"
RESET = "\x1b[0m"

anything = st.text(st.characters(), max_size=60)


@given(anything)
def test_a_printable_text_is_harmless_and_otherwise_the_same(text: str) -> None:
    shown = printable(text)

    assert shown.isprintable()
    assert len(shown) == len(text)
    assert all(there == here or not here.isprintable() for there, here in zip(shown, text, strict=True))


WRITERS: tuple[Callable[[Output, str], None], ...] = (
    lambda output, text: output.line(text),
    lambda output, text: output.line("a", Painted(text)),
    lambda output, text: output.say(text),
    lambda output, text: output.ask(text + " "),
    lambda output, text: output.table((text, "B"), [(text, Painted(text)), ("a", "b")]),
    lambda output, text: output.fields({text: text, "b": 1}),
    lambda output, text: output.error(ControlError(text, text, text)),
)


@pytest.mark.parametrize("write", WRITERS)
def test_no_way_to_print_lets_anything_through(
    write: Callable[[Output, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    @given(anything)
    def property_of(text: str) -> None:
        write(Output(colour=False), text)
        streams = capsys.readouterr()
        assert all(line.isprintable() for line in (streams.out + streams.err).split("\n"))

    property_of()


@given(anything)
def test_a_text_of_several_lines_has_those_and_no_others(text: str) -> None:
    lines: list[str] = []

    class Lines(Output):
        def line(self, *parts: str | Painted) -> None:
            lines.extend(map(printable, map(str, parts)))

    Lines().text(text)

    assert len(lines) == text.rstrip("\n").count("\n") + 1


def test_json_is_exact_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    @given(st.recursive(anything, lambda inner: st.dictionaries(anything, inner, max_size=3), max_leaves=4))
    def property_of(value: object) -> None:
        Output(is_json=True).data(value)
        line = capsys.readouterr().out.removesuffix("\n")
        assert json.loads(line) == value
        assert line.isprintable()
        assert line.isascii()

    property_of()


def test_colour_is_ours_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda stream, color: False)

    Output().line(Painted("fail" + RED, "red"), RESET)

    assert capsys.readouterr().out == f"{RED}fail\N{REPLACEMENT CHARACTER}[31m{RESET}\N{REPLACEMENT CHARACTER}[0m\n"


async def test_labels_and_names_from_elsewhere(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    name = f"pixel{CLEAR_SCREEN}"
    daemon.add_phone(name, phone)
    daemon.devices = {name: replace(daemon.devices[name], label=f"token{HIDE_THE_REST}", why="\n\rgone")}
    daemon.clients = (ClientReport(1, "ss\x9bh", ("ssh", "\x1b]0;title\x07"), ClientSocket.AGENT, 1, True),)
    daemon.entries = [replace(log_entry(1), key=f"mail{CLEAR_SCREEN}", programs=("a\nb",), host=f"h{CLEAR_SCREEN}")]

    for command in ("devices", "status", "log", "doctor", ("keys", "list"), ("unpair", name)):
        ended = await fob(*((command,) if isinstance(command, str) else command))
        assert all(line.isprintable() for line in (ended.out + ended.err).split("\n")), command


async def test_a_label_that_another_program_gave(fob: FobProgram, phone: FakePhone) -> None:
    label = f"mail\n{CLEAR_SCREEN}\u202e"
    assert (await fob("keys", "new", "--label", "x", "--pin-file", "-", stdin=PIN.decode())).code == 0
    for attributes in phone.objects.values():
        attributes[Cka.LABEL] = label.encode()

    shown = [await fob("keys", "show", label, *form) for form in ((), ("--ssh",), ("--pem",), ("--p11-uri",))]
    listed = await fob("keys", "list")
    asked = await fob("keys", "delete", label, stdin="n\n")

    for ended in (*shown, listed, asked):
        assert all(line.isprintable() for line in (ended.out + ended.err).split("\n"))
    assert [ended.code for ended in (*shown, listed, asked)] == [0, 0, 0, 0, 0, 7]
    assert (await fob("keys", "show", label, "--json")).json["label"] == label
