"""The headless person's rule file."""

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.approval.questions import Operation, Prompt, Question
from fob_device.approval.rules import (
    ANSWERS,
    APPROVAL_KEYS,
    FILE_KEYS,
    OPERATIONS,
    PAIRING,
    RuleError,
    Rules,
    load_rules,
    parse_rules,
)
from fob_protocol.caller import Caller, Purpose
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.pin_entries import LOGIN, NEW_PIN, SO_LOGIN, asking, taken
from support.token_bench import refused

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from((*ANSWERS, *OPERATIONS, *PAIRING)),
    st.dates(),
)


def tables(keys: frozenset[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Known keys more often than others."""
    return st.dictionaries(st.sampled_from(sorted(keys)) | st.text(max_size=4), values, max_size=4)


VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | tables(APPROVAL_KEYS, inner), max_leaves=8)


def rules(text: str) -> Rules:
    return parse_rules(tomllib.loads(text))


def question(operation: Operation = Operation.SIGN, key: str = "git") -> Question:
    return Question(operation, key, "me@pc")


async def says_yes(person: Rules, asked: Question) -> bool:
    return (await person.decide(Prompt(asked))).is_yes


async def test_without_rules_everything_is_allowed_at_once() -> None:
    nobody = rules("")
    assert nobody.is_silent(question())
    assert await says_yes(nobody, question())
    assert nobody.pairing_open
    assert not nobody.has_pin_pad


def test_a_key_label_cannot_steer_the_screen() -> None:
    words = question(key="git\r\n\x1b[2Jsign with 'x' for \u202epc").words()
    assert words == "sign with 'git\ufffd\ufffd\ufffd[2Jsign with 'x' for \ufffdpc' for me@pc"


async def test_the_first_rule_that_matches_decides() -> None:
    person = rules('[[approval]]\nkey="git*"\nanswer="deny"\n[[approval]]\nanswer="allow"\n')
    assert not await says_yes(person, question(key="git work"))
    assert await says_yes(person, question(key="tls"))


async def test_a_rule_may_be_about_one_operation() -> None:
    person = rules('[[approval]]\noperation="decrypt"\nanswer="deny"\n')
    assert await says_yes(person, question(Operation.SIGN))
    assert not await says_yes(person, question(Operation.DECRYPT))


SSH = Caller(("ssh", "git", "zsh"), Purpose.LOGIN, "code.example.org")
COMMIT = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git")
FORWARDED = Caller(("sshd",), Purpose.LOGIN, "code.example.org", is_forwarded=True)
FIREFOX = Caller(("firefox",), Purpose.TLS_CLIENT)
NOBODY = Caller()
EVERYBODY = (SSH, COMMIT, FORWARDED, FIREFOX, NOBODY)


@pytest.mark.parametrize(
    ("line", "matched"),
    [
        ('program = "git"', (SSH, COMMIT)),
        ('program = "ssh*"', (SSH, COMMIT, FORWARDED)),
        ('program = "ssh"', (SSH,)),
        ('program = "*"', (SSH, COMMIT, FORWARDED, FIREFOX)),
        ('host = "*.example.org"', (SSH, FORWARDED)),
        ('host = "*.example.org"\nforwarded = false', (SSH,)),
        ('host = ""', (COMMIT, FIREFOX, NOBODY)),
        ('namespace = "git"', (COMMIT,)),
        ('purpose = "login"', (SSH, FORWARDED)),
        ('purpose = "signature"', (COMMIT,)),
        ('purpose = "tls-client"', (FIREFOX,)),
        ('purpose = "unknown"', (NOBODY,)),
        ("forwarded = true", (FORWARDED,)),
        ("forwarded = false", (SSH, COMMIT, FIREFOX, NOBODY)),
        ("", EVERYBODY),
    ],
)
async def test_a_rule_may_be_about_who_asks(line: str, matched: tuple[Caller, ...]) -> None:
    person = rules(f'[[approval]]\nanswer = "deny"\n{line}\n')
    refused = [who for who in EVERYBODY if not await says_yes(person, Question(Operation.SIGN, "work", "me@pc", who))]
    assert refused == list(matched)


async def test_a_person_takes_time() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    person = Rules(rules("[[approval]]\nafter=2.5\n").approvals, sleep=sleep)
    assert not person.is_silent(question())
    assert await says_yes(person, question())
    assert slept == [2.5]


async def test_a_yes_may_be_remembered() -> None:
    decision = await rules("[[approval]]\nremember=300\n").decide(Prompt(question()))
    assert (decision.is_yes, decision.remember) == (True, 300)
    assert (await rules("").decide(Prompt(question()))).remember == 0


async def test_pins_are_typed_and_never_shown() -> None:
    person = rules('pin = "123456"\nso_pin = "12345678"\nnew_pin = "271828"')
    assert person.has_pin_pad
    assert await person.log_in(LOGIN, taken, asking()) == b"123456"
    assert await person.enter(SO_LOGIN, taken, asking()) == b"12345678"
    assert await person.choose(NEW_PIN, asking()) == b"271828"
    for pin in ("123456", "12345678", "271828"):
        assert pin not in repr(person)


async def test_a_pin_that_the_file_does_not_have_is_not_typed() -> None:
    person = rules('pin = "123456"')
    assert await person.enter(SO_LOGIN, taken, asking()) is None
    assert await person.choose(NEW_PIN, asking()) is None


async def test_a_wrong_pin_is_typed_once() -> None:
    typed: list[bytes] = []

    async def wrong(pin: bytes) -> bytes:
        typed.append(pin)
        raise CkrError(Ckr.PIN_INCORRECT)

    with refused(Ckr.PIN_INCORRECT):
        await rules('pin = "1234"').log_in(LOGIN, wrong, asking())
    assert typed == [b"1234"]


async def test_a_new_pin_of_a_bad_size_is_refused() -> None:
    with refused(Ckr.PIN_LEN_RANGE):
        await rules('pin = "1234"\nnew_pin = "123"').choose(NEW_PIN, asking())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('pairing = "maybe"', "pairing is one of accept, refuse"),
        ("pin = 1234", "pin is a string in quotes"),
        ("so_pin = 1234", "so_pin is a string in quotes"),
        ("new_pin = 1234", "new_pin is a string in quotes"),
        ('unlocked = "yes"', "unlocked is a number of seconds, 0 to 43200"),
        ("unlocked = 43201", "unlocked is a number of seconds, 0 to 43200"),
        ('[[approval]]\nanswer="yes"', "answer is one of allow, deny, ignore"),
        ('[[approval]]\noperation="fly"', "operation is one of sign, decrypt, derive"),
        ('[[approval]]\noperation=""', "operation is one of sign, decrypt, derive"),
        ("[[approval]]\nkey=3", "key is a string in quotes"),
        ("[[approval]]\nafter=-1", "after is a number of seconds, 0 to 3600"),
        ("[[approval]]\nafter=3601", "after is a number of seconds, 0 to 3600"),
        ("[[approval]]\nafter=nan", "after is a number of seconds, 0 to 3600"),
        ("[[approval]]\nafter=true", "after is a number of seconds, 0 to 3600"),
        ("[[approval]]\nprogram=true", "program is a string in quotes"),
        ("[[approval]]\nhost=3", "host is a string in quotes"),
        ("[[approval]]\nnamespace=[]", "namespace is a string in quotes"),
        ('[[approval]]\npurpose="fun"', "purpose is one of login, signature, tls-client, unknown"),
        ("[[approval]]\npurpose=[1]", "purpose is one of login, signature, tls-client, unknown"),
        ('[[approval]]\nforwarded="yes"', "forwarded is true or false"),
        ("[[approval]]\nforwarded=1", "forwarded is true or false"),
        ("[[approval]]\nremember=-1", "remember is a number of seconds, 0 to 43200"),
        ("[[approval]]\nremember=43201", "remember is a number of seconds, 0 to 43200"),
        ('[[approval]]\nanswer="deny"\nremember=5', 'only answer = "allow" can be remembered'),
        ("approval=[3]", "an approval is a table: [[approval]] and its lines"),
        ("approval={}", "approval is a list: [[approval]]"),
        ('[[approval]]\nkeys="x"', "an approval has no 'keys'"),
        ("approve = true", "the file has no 'approve'"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(RuleError, match=re.escape(words)):
        rules(text)


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("pairing =\n")
    with pytest.raises(RuleError, match=r"rules\.toml: .*line 1"):
        load_rules(path)


@given(tables(FILE_KEYS, VALUES))
def test_whatever_toml_can_say_is_a_set_of_rules_or_a_mistake_that_is_named(table: dict[str, Any]) -> None:
    with suppress(RuleError):
        for rule in parse_rules(table).approvals:
            assert rule.matches(question()) in (True, False)
            assert 0 <= rule.after <= 3600


def test_a_file_of_brackets_is_a_mistake_and_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("approval = " + "[" * 60_000)
    with pytest.raises(RuleError, match=r"^rules\.toml: "):
        load_rules(path)
