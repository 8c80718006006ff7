"""docs/device.md has every command and option of fob-device and every line of a rule file."""

import re
import tomllib
from pathlib import Path

import click

from fob_device.approval.rules import (
    AFTER_LIMIT,
    ANSWERS,
    APPROVAL_KEYS,
    FILE_KEYS,
    FILE_LIMIT,
    OPERATIONS,
    PAIRING,
    PURPOSES,
    REMEMBER_LIMIT,
    UNLOCKED_LIMIT,
    parse_rules,
)
from fob_device.main import main
from fob_device.token.limits import PIN_MAX, PIN_MIN, SO_TRIES, USER_TRIES
from fob_protocol.session.pace import RADIO_REOPENING, RECONNECT_GRACE, Pace

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "device.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([a-z_\[\]]+)` \| (.*?) \| .* \|$", TEXT, re.MULTILINE))


def words(line: str) -> list[str]:
    """The words that a row offers, in their order."""
    return re.findall(r"`([a-z-]+)`", ROWS[line])


def test_every_line_of_a_rule_file_is_described_and_no_other() -> None:
    assert set(ROWS) == (FILE_KEYS - {"approval"}) | {"[[approval]]"} | APPROVAL_KEYS


def test_every_word_and_bound_is_the_real_one() -> None:
    assert [words(line) for line in ("pairing", "operation", "answer", "purpose")] == [
        list(PAIRING),
        list(OPERATIONS),
        list(ANSWERS),
        list(PURPOSES),
    ]
    assert f"0 to {AFTER_LIMIT};" in ROWS["after"]
    assert f"0 to {REMEMBER_LIMIT};" in ROWS["remember"]
    assert f"0 to {UNLOCKED_LIMIT};" in ROWS["unlocked"]
    assert f"at most {FILE_LIMIT // 1024} KiB" in TEXT


def test_how_long_a_yes_counts_while_the_computer_is_away_is_what_the_computer_waits() -> None:
    """Where the break is told, and where only silence tells; at 115,200 baud."""
    cable = Pace(rate=11_520)
    assert f"a cable {RECONNECT_GRACE} s" in TEXT
    assert f"by radio {RECONNECT_GRACE + RADIO_REOPENING} s" in TEXT
    assert f"{cable.lost_after + cable.first_answer_time:.2f} s after the poll that nobody answered" in TEXT


def test_the_example_is_a_set_of_rules() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert [rule.answer for rule in parse_rules(tomllib.loads(example)).approvals] == ["allow", "deny"]


def test_every_command_is_described_with_every_option_and_no_other() -> None:
    described = {
        command: set(re.findall(r"--[a-z-]+", usage))
        for command, usage in re.findall(r"^\| `fob-device ([a-z]+) (.*?)` \|", TEXT, re.MULTILINE)
    }
    real = {
        name: {
            option for parameter in command.params if isinstance(parameter, click.Option) for option in parameter.opts
        }
        for name, command in main.commands.items()
    }
    assert described == real


def test_tries_are_the_real_ones_here_and_in_the_threat_model() -> None:
    assert f"A PIN has {PIN_MIN} to {PIN_MAX} octets" in TEXT
    assert f"After {USER_TRIES} wrong ones" in TEXT
    assert f"after {SO_TRIES} wrong ones" in TEXT
    threats = (DOCS / "threat-model.md").read_text(encoding="utf-8")
    assert f"{USER_TRIES} tries for the user PIN, {SO_TRIES} for the security officer's" in threats
