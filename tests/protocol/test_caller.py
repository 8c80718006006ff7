"""Who asks: what a PC tells of a program, and what of it reaches a screen (docs/protocol.md, section 4.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.values import encode_values
from fob_protocol.caller import HOST_SIZE, NAMESPACE_SIZE, PROGRAM_SIZE, PROGRAMS_LIMIT, Caller, Purpose
from fob_protocol.errors import AtSyntaxError

GIT = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git")


def test_the_block_octet_by_octet() -> None:
    assert GIT.to_block() == b"2,0,#10,#13git,#210ssh-keygen,#13git,#13zsh"
    assert Caller.from_block(GIT.to_block()) == GIT


@given(
    st.builds(
        Caller,
        st.lists(st.text(), max_size=12).map(tuple),
        st.sampled_from(Purpose),
        st.text(),
        st.text(),
        st.booleans(),
    )
)
def test_whatever_a_program_calls_itself_arrives_plain_and_bounded(caller: Caller) -> None:
    arrived = Caller.from_block(caller.to_block())
    assert arrived == caller
    assert len(arrived.programs) <= PROGRAMS_LIMIT
    assert all(len(program) <= PROGRAM_SIZE for program in arrived.programs)
    assert (len(arrived.host) <= HOST_SIZE, len(arrived.namespace) <= NAMESPACE_SIZE) == (True, True)
    assert "".join((*arrived.programs, arrived.host, arrived.namespace)).isprintable()


def test_a_name_that_is_cut_keeps_both_its_ends() -> None:
    caller = Caller(("deploy-it-all-to-production.sh (bash)",), Purpose.LOGIN, host=f"{'a.' * 150}example.org")
    assert caller.programs == ("deploy-it-all-to…ction.sh (bash)",)
    assert (caller.host[:4], caller.host[-11:], len(caller.host)) == ("a.a.", "example.org", HOST_SIZE)


def test_a_purpose_of_a_newer_pc_is_unknown() -> None:
    assert Caller.from_block(encode_values((99, 0, b"", b"", b"new"))) == Caller(("new",))


@pytest.mark.parametrize(
    "values",
    [
        (),
        (1, 0),
        (1, 0, b""),
        (1, 2, b"", b""),
        (1, 0, b"", "text"),
        (b"1", 0, b"", b""),
        (None, 0, b"", b""),
        (1, 0, b"", b"", *(b"p",) * (PROGRAMS_LIMIT + 1)),
    ],
)
def test_what_is_no_caller_is_refused(values: tuple[int | bytes | str | None, ...]) -> None:
    with pytest.raises(AtSyntaxError):
        Caller.from_block(encode_values(values))


@given(st.binary(max_size=64))
def test_rubbish_is_a_caller_or_refused(block: bytes) -> None:
    try:
        caller = Caller.from_block(block)
    except AtSyntaxError:
        return
    assert Caller.from_block(caller.to_block()) == caller
