"""Who asks: callers by number, what the person reads of them, and what a bad one is told (section 4.1)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.approval.questions import Operation, Question
from fob_device.approval.rules import Rule, Rules
from fob_device.approval.words import fitting
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.at.values import Value, encode_string
from fob_protocol.caller import CALLER_UNKNOWN, CALLERS_LIMIT, Caller, Purpose
from fob_protocol.deeds import CHAIN_SHOWN, chain
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
GIT = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git")
DIGEST = bytes(32)
SLOW = Rules((Rule(after=1.0),))


async def sign(world: World, handle: int, caller: int | None = None, block: bytes | None = None) -> Answer:
    return await world.manager.request(catalogue.SIGN.build(handle, None, DIGEST, None, caller, block), timeout=30)


def asked(events: list[Event]) -> list[Value]:
    """The words of the questions so far."""
    return [event.values[1] for event in events if event.name == "+FOBASK"]


def test_a_caller_is_named_once_and_known_by_its_number_from_then_on(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, SLOW)
        key = await world.new_key(b"work")
        events: list[Event] = []
        world.manager.subscribe(events.append)
        for caller, block in ((0, SSH.to_block()), (63, GIT.to_block()), (0, None), (None, None)):
            assert (await sign(world, key, caller, block)).ckr == Ckr.OK
        assert asked(events) == [
            "log in to github.com with 'work' for ssh <- zsh on me@pc",
            "sign a git commit with 'work' for ssh-keygen <- git <- zsh on me@pc",
            "log in to github.com with 'work' for ssh <- zsh on me@pc",
            "sign with 'work' for me@pc",
        ]
        await world.close()

    run_virtually(story())


def test_a_number_may_be_given_to_another_caller_and_outlives_the_session(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, SLOW)
        key = await world.new_key(b"work")
        events: list[Event] = []
        world.manager.subscribe(events.append)
        await sign(world, key, 5, SSH.to_block())
        await sign(world, key, 5, GIT.to_block())
        await world.reconnect()
        await world.login()
        assert (await sign(world, key, 5)).ckr == Ckr.OK
        assert asked(events)[2] == asked(events)[1] == GIT_WORDS
        await world.close()

    run_virtually(story())


GIT_WORDS = "sign a git commit with 'work' for ssh-keygen <- git <- zsh on me@pc"


def test_an_unknown_number_is_told_before_anything_else_happens(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, SLOW)
        key = await world.new_key(b"work")
        await sign(world, key, 5, SSH.to_block())
        world.restart_phone()
        await world.until(lambda: world.manager.greeting is None)
        await world.until(lambda: world.manager.greeting is not None)
        events: list[Event] = []
        world.manager.subscribe(events.append)
        with counted_signatures() as signed:
            # Nobody has logged in, and there is no key 999: the number comes first.
            answer = await sign(world, 999, 5)
            assert (answer.ckr, answer.words) == (CALLER_UNKNOWN, "caller 5 is not known here")
            assert (await sign(world, key, 5, SSH.to_block())).ckr == Ckr.USER_NOT_LOGGED_IN
            await world.login()
            assert (await sign(world, key, 6)).ckr == CALLER_UNKNOWN
            assert (not signed, asked(events)) == (True, [])
            # The block of the refused request was kept.
            assert (await sign(world, key, 5)).ckr == Ckr.OK
        assert len(asked(events)) == 1
        await world.close()

    run_virtually(story())


def test_decryption_and_derivation_name_their_caller_too(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        key = await world.new_key()
        template = attributes_to_values({})
        for command in (
            catalogue.DECRYPT.build(key, int(Ckm.RSA_PKCS), DIGEST, None, 7),
            catalogue.DERIVE_KEY.build(key, int(Ckm.ECDH1_DERIVE), None, 7, None, *template),
        ):
            assert (await world.manager.request(command, timeout=30)).ckr == CALLER_UNKNOWN
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize(
    ("caller", "block"),
    [
        (CALLERS_LIMIT, SSH.to_block()),
        (CALLERS_LIMIT, None),
        (2**64 - 1, None),
        (None, SSH.to_block()),
        (0, b""),
        (0, b"1"),
        (0, b"1,2,#0,#0"),
        (0, b'1,0,"github.com",#0'),
    ],
)
def test_what_is_no_caller_is_refused(tmp_path: Path, caller: int | None, block: bytes | None) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        key = await world.new_key()
        assert (await sign(world, key, 0, SSH.to_block())).ckr == Ckr.OK
        assert (await sign(world, key, caller, block)).ckr == Ckr.ARGUMENTS_BAD
        # The caller that was there before stays.
        assert (await sign(world, key, 0)).ckr == Ckr.OK
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize(
    ("operation", "caller", "words"),
    [
        (Operation.SIGN, Caller(), "sign with 'work' for me@pc"),
        (Operation.SIGN, Caller(("app",)), "sign with 'work' for app on me@pc"),
        (Operation.SIGN, Caller(("ssh",), Purpose.LOGIN), "log in with 'work' for ssh on me@pc"),
        (Operation.SIGN, Caller((), Purpose.SIGNATURE, namespace="file"), "sign a file with 'work' for me@pc"),
        (Operation.SIGN, Caller((), Purpose.SIGNATURE, namespace="mail"), "sign data of 'mail' with 'work' for me@pc"),
        (Operation.SIGN, Caller((), Purpose.SIGNATURE), "sign data with 'work' for me@pc"),
        (Operation.SIGN, Caller(("curl",), Purpose.TLS_CLIENT), "log in as a TLS client with 'work' for curl on me@pc"),
        (Operation.DECRYPT, SSH, "decrypt with 'work' for ssh <- zsh on me@pc"),
        (Operation.DERIVE, GIT, "derive with 'work' for ssh-keygen <- git <- zsh on me@pc"),
        (
            Operation.SIGN,
            Caller(("sshd",), Purpose.LOGIN, "github.com", is_forwarded=True),
            "log in to github.com with 'work' for sshd on me@pc, from another machine (forwarded agent)",
        ),
    ],
)
def test_the_words_that_a_person_reads(operation: Operation, caller: Caller, words: str) -> None:
    assert Question(operation, "work", "me@pc", caller).words() == words
    assert Question(operation, "work", "me@pc", caller).words(3) == f"{words}, 3 times"


def test_a_long_host_keeps_both_its_ends() -> None:
    host = "github.com." + "a" * 200 + ".evil.example"
    words = Question(Operation.SIGN, "work", "me@pc", Caller(("ssh",), Purpose.LOGIN, host)).words()
    assert words.startswith("log in to github.com.aaaa")
    assert "....evil" not in words
    assert "aaaa.evil.example with 'work'" in words
    assert len(words) < 128


def test_a_long_chain_shows_every_program_and_the_first_and_the_last_whole() -> None:
    """Each name keeps both its ends, and no arrow is cut."""
    names = tuple(f"program-{number}-with-a-name-{number}" for number in range(8))
    shown = chain(Caller(names)).split(" <- ")
    assert shown == [names[0], *(f"prog…me-{number}" for number in range(1, 7)), names[7]]
    assert len(chain(Caller(names))) <= CHAIN_SHOWN
    script = Caller(("ssh", "a-script-that-runs-long.sh (bash)", "zsh"))
    assert chain(script) == "ssh <- a-script-that-ru…-long.sh (bash) <- zsh"


@given(
    st.text(max_size=300),
    st.text(max_size=100),
    st.builds(Caller, st.lists(st.text(), max_size=9).map(tuple), st.sampled_from(Purpose), st.text(), st.text()),
)
def test_whatever_things_are_called_the_words_are_plain_and_fit_an_event(label: str, pc: str, caller: Caller) -> None:
    words = Question(Operation.SIGN, label, pc, caller).words()
    assert words.isprintable()
    assert len(words) < 400
    assert len(encode_string(fitting(words, 512))) <= 512


def test_words_are_cut_only_where_they_do_not_fit() -> None:
    assert fitting("sign", 6) == "sign"
    assert fitting("ä" * 9, 2 + 2 * 6 + 9) == "ää…"
