"""`fob-device bench`: every verb as it is described, and what it refuses."""

import re
from pathlib import Path

import click
import pytest

from fob_device.json_lines import CLIENTS_LIMIT, LINE_LIMIT
from fob_device.workbench.command import bench
from fob_device.workbench.limits import FRAMES_LIMIT, RATE_MAXIMUM, RATE_MINIMUM, SECONDS_LIMIT
from support.bench_program import OK, do, done, greeting, refusal, report, terminal

DOC = (Path(__file__).parents[2] / "docs" / "device.md").read_text(encoding="utf-8")


def test_every_verb_is_described_with_every_option_and_every_bound() -> None:
    table = DOC[DOC.index("## The workbench") :]
    described = {
        name: set(re.findall(r"--[a-z]+", usage))
        for name, usage in re.findall(r"^\| `([a-z]+)([^`]*)` \| [^|]*(?:\\\|)?[^|]* \|$", table, re.MULTILINE)
    }
    real = {
        name: {option for parameter in verb.params if isinstance(parameter, click.Option) for option in parameter.opts}
        for name, verb in bench.commands.items()
    }
    assert described == real
    assert f"{RATE_MINIMUM} to {RATE_MAXIMUM}" in table
    assert f"at most {LINE_LIMIT} octets" in table
    assert (SECONDS_LIMIT, FRAMES_LIMIT, CLIENTS_LIMIT) == (24 * 3600, 1000, 8)
    assert "Times are at most a day, frames at most 1000." in table


def test_the_example_for_a_script_has_real_verbs() -> None:
    (example,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
    verbs = re.findall(r"^(?:until )?bench ([^#|;\n]+)", example, re.MULTILINE)
    assert len(verbs) == 4
    for words in map(str.split, verbs):
        verb = bench.commands[words[0]]
        verb.make_context(words[0], words[1:]).close()


def test_lines_for_a_person(phone: Path, line: Path) -> None:
    done(phone, "battery", "42", "--charging")
    done(phone, "clock", "-3600")
    done(phone, "lose", "out", "--frames", "3")
    with terminal(line) as computer:
        assert greeting(computer) == OK
        number = report(phone)["lines"][0]["number"]
        assert done(phone, "lines").splitlines() == [
            "phone on, battery 42 % charging, clock -3600 s, 3 faults wait",
            "port\tline\tcomputer\toctets in\toctets out\tdamaged\tlost",
            f"pty:{line}\t{number}\tnobody\t3\t9\t0\t0",
        ]
    done(phone, "clock", "+1.5")
    assert report(phone)["clock_shift"] == 1.5


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (("away", "90000"), "seconds: from 0 to 86400, not 90000.0"),
        (("power", "1e9"), "seconds: from 0 to 86400, not 1000000000.0"),
        (("slow", "9"), "octets per second: from 10 to 1000000, not 9"),
        (("battery", "101"), "percent: from 0 to 100, not 101"),
        (("damage", "in", "--frames", "0"), "frames: from 1 to 1000, with those that wait already"),
        (("drop", "--line", "1"), "a line is named with its port"),
        (("lose", "in", "--port", "pty:/other"), "there is no port pty:/other; there is pty:{line}"),
    ],
)
def test_what_cannot_be_done_is_told_in_three_lines(phone: Path, line: Path, verb: tuple[str, ...], words: str) -> None:
    assert refusal(phone, *verb) == ("the workbench did nothing", words.format(line=line), "fob-device bench --help")


@pytest.mark.parametrize(
    "verb", [("slow", "fast"), ("power", "nan"), ("clock", "x"), ("damage", "up"), ("wait", "601"), ("fly",)]
)
def test_what_makes_no_sense_is_a_matter_of_usage(tmp_path: Path, verb: tuple[str, ...]) -> None:
    assert do(tmp_path, *verb).exit_code == 2


def test_waiting_in_vain_is_told(phone: Path, line: Path) -> None:
    done(phone, "power", "100")
    assert refusal(phone, "wait", "0.1")[1] == "the phone was not back within 0.1 s"
    done(phone, "power", "0")
    done(phone, "wait", "10")
