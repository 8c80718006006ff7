"""The headless person's rule file."""

import tomllib
from pathlib import Path

import pytest

from fob_device.approval.questions import Operation, Question
from fob_device.approval.rules import RuleError, Rules, load_rules, parse_rules


def rules(text: str) -> Rules:
    return parse_rules(tomllib.loads(text))


def question(operation: Operation = Operation.SIGN, key: str = "git") -> Question:
    return Question(operation, key, "me@pc")


async def test_without_rules_everything_is_allowed_at_once() -> None:
    nobody = rules("")
    assert nobody.is_silent(question())
    assert await nobody.decide(question())
    assert nobody.pairing_open
    assert not nobody.has_pin_pad


def test_a_key_label_cannot_steer_the_screen() -> None:
    words = question(key="git\r\n\x1b[2Jsign with 'x' for \u202epc").words()
    assert words == "sign with 'git\ufffd\ufffd\ufffd[2Jsign with 'x' for \ufffdpc' for me@pc"


async def test_the_first_rule_that_matches_decides() -> None:
    person = rules('[[approval]]\nkey="git*"\nanswer="deny"\n[[approval]]\nanswer="allow"\n')
    assert not await person.decide(question(key="git work"))
    assert await person.decide(question(key="tls"))


async def test_a_rule_may_be_about_one_operation() -> None:
    person = rules('[[approval]]\noperation="decrypt"\nanswer="deny"\n')
    assert await person.decide(question(Operation.SIGN))
    assert not await person.decide(question(Operation.DECRYPT))


async def test_a_person_takes_time() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    person = Rules(rules("[[approval]]\nafter=2.5\n").approvals, sleep=sleep)
    assert not person.is_silent(question())
    assert await person.decide(question())
    assert slept == [2.5]


async def test_the_pin_is_typed_and_never_shown() -> None:
    person = rules('pin = "123456"')
    assert person.has_pin_pad
    assert await person.pin("me@pc") == b"123456"
    assert "123456" not in repr(person)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('pairing = "maybe"', "pairing is one of accept, refuse"),
        ("pin = 1234", "pin is a string in quotes"),
        ('[[approval]]\nanswer="yes"', "answer is one of allow, deny, ignore"),
        ('[[approval]]\noperation="fly"', "operation is one of sign, decrypt, derive"),
        ("[[approval]]\nafter=-1", "after is a number of seconds"),
        ('[[approval]]\nkeys="x"', "an approval has no 'keys'"),
        ("approve = true", "the file has no 'approve'"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(RuleError, match=words.replace("[", r"\[")):
        rules(text)


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("pairing =\n")
    with pytest.raises(RuleError, match=r"rules\.toml: .*line 1"):
        load_rules(path)
