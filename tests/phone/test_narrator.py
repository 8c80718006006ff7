"""A headless phone says what would be on its screen: codes to compare, questions, requests for the PIN."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fob_device.approval.narrator import NO_FILE, Narrator
from fob_device.approval.questions import Operation, Prompt, Question
from fob_device.approval.rules import Rules, parse_rules
from fob_protocol.caller import Caller, Purpose
from fob_protocol.pairing.pc import PairedDevice
from support.pin_entries import LOGIN, NEW_PIN, SO_LOGIN, asking, taken
from support.virtual_loop import run_virtually
from support.world import World

RULES: dict[str, Any] = {
    "pin": "4711",
    "approval": [
        {"key": "free"},
        {"key": "slow", "after": 2.5},
        {"key": "shut", "answer": "deny"},
        {"key": "lost", "answer": "ignore", "after": 1},
    ],
}
SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, "code.example.org")


async def said_of(label: str, caller: Caller = SSH) -> list[str]:
    said: list[str] = []
    narrator = Narrator(parse_rules(RULES), said.append)
    prompt = Prompt(Question(Operation.SIGN, label, "me@pc", caller))
    answer = asyncio.create_task(narrator.decide(prompt))
    await asyncio.sleep(5)
    answer.cancel()
    return said


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("free", []),
        ("other", []),
        ("slow", ["with 'slow' for ssh <- zsh on me@pc (the rule file says yes after 2.5 s)"]),
        ("shut", ["with 'shut' for ssh <- zsh on me@pc (the rule file says no)"]),
        ("lost", ["with 'lost' for ssh <- zsh on me@pc (the rule file never answers)"]),
    ],
)
def test_a_question_is_a_line_with_its_answer(label: str, said: list[str]) -> None:
    assert run_virtually(said_of(label)) == [f"asked: log in to code.example.org {line}" for line in said]


async def test_the_answers_are_those_of_the_rules() -> None:
    rules = parse_rules(RULES)
    narrator = Narrator(rules, lambda line: None)
    for label in ("free", "shut"):
        question = Question(Operation.SIGN, label, "me@pc")
        assert await narrator.decide(Prompt(question)) == await rules.decide(Prompt(question))
        assert narrator.is_silent(question) == rules.is_silent(question)
    assert (narrator.has_pin_pad, narrator.pairing_open) == (True, True)
    assert await narrator.log_in(LOGIN, taken, asking()) == b"4711"
    assert await narrator.enter(LOGIN, taken, asking()) == b"4711"
    assert not Narrator(Rules(pairing="refuse"), lambda line: None).pairing_open


async def test_a_request_for_the_pin_is_a_line_without_it() -> None:
    said: list[str] = []
    narrator = Narrator(parse_rules(RULES | {"new_pin": "2718"}), said.append)
    await narrator.log_in(LOGIN, taken, asking())
    await narrator.choose(NEW_PIN, asking())
    assert said == [
        "asked: type the PIN to log in for me@pc (the rule file types it)",
        "asked: type a new PIN to replace a forgotten one for me@pc (the rule file types it)",
    ]


async def test_a_pin_that_the_file_does_not_have_is_a_line_too() -> None:
    said: list[str] = []
    assert await Narrator(parse_rules(RULES), said.append).enter(SO_LOGIN, taken, asking()) is None
    assert said == ["asked: type the security officer's PIN to log in for me@pc (the rule file has none)"]


@pytest.mark.clause("P14")
async def test_no_name_steers_the_terminal() -> None:
    said: list[str] = []
    narrator = Narrator(parse_rules(RULES), said.append)
    evil = "me\x1b[2J\r\n\u202e"
    narrator.paired(evil)
    await narrator.log_in(replace(LOGIN, pc_name=evil), taken, asking())
    await narrator.decide(Prompt(Question(Operation.SIGN, "shut", evil)))
    assert [line for line in said if not line.isprintable()] == []
    assert said[0] == "paired with 'me\ufffd[2J\ufffd\ufffd\ufffd'"


@pytest.mark.clause("P7")
@pytest.mark.parametrize(
    ("rules", "source", "answer"),
    [
        (Rules(), NO_FILE, "a phone without a rule file says yes"),
        (Rules(pairing="refuse"), "the rule file", "the rule file says no"),
    ],
)
async def test_a_code_is_said_as_the_pc_shows_it(rules: Rules, source: str, answer: str) -> None:
    said: list[str] = []
    await Narrator(rules, said.append, source).compare("042137")
    assert said == [f"pairing: code 042 137 ({answer})"]


@pytest.mark.clause("P7")
def test_a_pairing_is_said_from_its_code_to_the_name_of_the_computer(tmp_path: Path) -> None:
    async def story() -> None:
        said: list[str] = []
        codes: list[str] = []
        narrator = Narrator(Rules(), said.append)
        world = World(tmp_path, 1, narrator)
        world.phone.on_paired.append(narrator.paired)

        async def compare(code: str, device: PairedDevice) -> bool:
            codes.append(f"{code[:3]} {code[3:]}")
            return True

        await world.pair(compare)
        assert said == [f"pairing: code {codes[0]} (the rule file says yes)", "paired with 'me@pc'"]
        await world.close()

    run_virtually(story())
