"""Numbers up to 2^64-1, as a CK_ULONG, are good AT values; SQLite ends at 2^63-1, and no door may break there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fob_device.approval.rules import Rules
from fob_device.security.manager import HANDLERS, SecurityManager
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, decode_answer, encode_answer
from fob_protocol.at.command import Command, Verb, decode_command, encode_command
from fob_protocol.at.values import Value, Values, encode_values
from fob_protocol.catalogue import BLOCK, COMMANDS, NUMBER, CommandSpec
from fob_protocol.pkcs11.attributes import BOOLS, DATES, ULONGS
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from support.token_bench import P256, USER_PIN, Bench, data_template, make_ec

EDGES = (2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1)
HUGE = EDGES[3:]

# Handles that exist: 1 a data object, 2 and 3 a key pair.
REAL = (0, 1, 2, 3, 1 << 20)


class Desk:
    """A logged-in computer at the phone's door."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder / "token.db")
        self.manager = SecurityManager(self.bench.token, Rules(), pc_name="me@pc")
        self.runner = asyncio.Runner()
        session = self.bench.user()
        session.create_object(data_template())
        make_ec(session)
        assert self.ask(catalogue.LOGIN_USER, int(Cku.USER), USER_PIN).ckr == Ckr.OK

    def ask(self, spec: CommandSpec, *values: Value) -> Answer:
        """One command over all its doors: text, manager, and the text of the answer."""
        command = decode_command(encode_command(Command(spec.name, Verb.SET if values else Verb.EXECUTE, values)))
        answer = self.runner.run(self.manager.execute(command))
        assert decode_answer(encode_answer(answer)) == answer
        return answer

    def close(self) -> None:
        """Hang up."""
        self.runner.close()
        self.bench.token.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def worn_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One that has heard all the examples before."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


numbers = st.one_of(st.sampled_from(EDGES), st.integers(2**63, 2**64 - 1), st.sampled_from(REAL))
# Never a PIN of this phone, and now and then a mechanism's parameter.
blocks = st.one_of(
    st.binary(max_size=40),
    st.lists(st.one_of(numbers, st.binary(max_size=8)), min_size=1, max_size=5).map(encode_values),
    st.sampled_from((P256, bytes(32))),
)
attribute_types = st.one_of(st.sampled_from(sorted(ULONGS | BOOLS | DATES)), st.sampled_from(list(Cka)), numbers)
attribute_lists = st.lists(st.tuples(attribute_types, st.one_of(numbers, blocks)), max_size=4).map(
    lambda pairs: tuple(value for pair in pairs for value in pair)
)
mechanisms = st.one_of(numbers, st.sampled_from(list(Ckm)))


@st.composite
def commands(draw: st.DrawFn) -> tuple[CommandSpec, Values]:
    """Any command of the catalogue with values of the right kinds."""
    spec = draw(st.sampled_from([COMMANDS[name] for name in sorted(HANDLERS)]))
    values: list[Value] = []
    # What closes the doors behind it is asked only of what is not there.
    free = st.sampled_from(EDGES) if spec in (catalogue.DESTROY_OBJECT, catalogue.LOGOUT) else numbers
    for parameter in spec.parameters:
        kinds = {NUMBER: mechanisms if parameter.name == "mechanism" else free, BLOCK: blocks}
        kind: st.SearchStrategy[Value] = kinds.get(parameter.kind, st.text(max_size=8))
        values.append(draw(st.one_of(st.none(), kind) if parameter.optional else kind))
    if spec.rest:
        values += draw(attribute_lists)
    return spec, tuple(values)


@settings(max_examples=3 * settings().max_examples)
@given(commands())
def test_every_command_with_any_number_is_answered(worn_desk: Desk, command: tuple[CommandSpec, Values]) -> None:
    spec, values = command
    worn_desk.ask(spec, *values)
    assert worn_desk.ask(catalogue.SIGN, 3, int(Ckm.ECDSA), bytes(32)).ckr == Ckr.OK


DATA = (int(Cka.CLASS), int(Cko.DATA))
PUBLIC_KEY = (int(Cka.CLASS), int(Cko.PUBLIC_KEY))


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize(
    ("spec", "before", "after", "ckr"),
    [
        (catalogue.GET_ATTRIBUTE, (), (int(Cka.VALUE),), Ckr.OBJECT_HANDLE_INVALID),
        (catalogue.GET_ATTRIBUTE, (1,), (), Ckr.ATTRIBUTE_TYPE_INVALID),
        (catalogue.SET_ATTRIBUTES, (), (int(Cka.LABEL), b"x"), Ckr.OBJECT_HANDLE_INVALID),
        (catalogue.SET_ATTRIBUTES, (1,), (b"x",), Ckr.ATTRIBUTE_TYPE_INVALID),
        (catalogue.SET_ATTRIBUTES, (2, int(Cka.KEY_TYPE)), (), Ckr.ATTRIBUTE_READ_ONLY),
        (catalogue.COPY_OBJECT, (), (), Ckr.OBJECT_HANDLE_INVALID),
        (catalogue.DESTROY_OBJECT, (), (), Ckr.OBJECT_HANDLE_INVALID),
        (catalogue.CREATE_OBJECT, (int(Cka.CLASS),), (), Ckr.ATTRIBUTE_VALUE_INVALID),
        (catalogue.CREATE_OBJECT, (*PUBLIC_KEY, int(Cka.KEY_TYPE)), (), Ckr.ATTRIBUTE_VALUE_INVALID),
        (catalogue.CREATE_OBJECT, (*DATA, int(Cka.TOKEN)), (), Ckr.ARGUMENTS_BAD),
        (catalogue.CREATE_OBJECT, (*DATA, int(Cka.START_DATE)), (), Ckr.ARGUMENTS_BAD),
        (catalogue.CREATE_OBJECT, DATA, (b"x",), Ckr.ATTRIBUTE_TYPE_INVALID),
        (catalogue.GENERATE_KEY_PAIR, (), (None, 0), Ckr.MECHANISM_INVALID),
        (catalogue.GENERATE_KEY_PAIR, (int(Ckm.EC_KEY_PAIR_GEN), None), (), Ckr.ARGUMENTS_BAD),
        (
            catalogue.GENERATE_KEY_PAIR,
            (int(Ckm.RSA_PKCS_KEY_PAIR_GEN), None, 1, int(Cka.MODULUS_BITS)),
            (),
            Ckr.ATTRIBUTE_VALUE_INVALID,
        ),
        (catalogue.LOGIN_USER, (), (USER_PIN,), Ckr.USER_TYPE_INVALID),
        (catalogue.LOGIN_USER, (int(Cku.CONTEXT_SPECIFIC), USER_PIN), (), Ckr.KEY_HANDLE_INVALID),
        (catalogue.LOGIN_USER, (int(Cku.USER), USER_PIN), (), Ckr.OK),
        (catalogue.LOGOUT, (), (), Ckr.USER_NOT_LOGGED_IN),
        (catalogue.RESUME, (), (bytes(32),), Ckr.USER_NOT_LOGGED_IN),
        (catalogue.SET_PIN, (), (b"123456", b"654321"), Ckr.USER_TYPE_INVALID),
        (catalogue.SIGN, (), (None, bytes(32)), Ckr.KEY_HANDLE_INVALID),
        (catalogue.SIGN, (3,), (bytes(32),), Ckr.MECHANISM_INVALID),
        (catalogue.DECRYPT, (), (None, bytes(32)), Ckr.KEY_HANDLE_INVALID),
        (catalogue.DERIVE_KEY, (), (int(Ckm.ECDH1_DERIVE), encode_values((1, b"", b""))), Ckr.KEY_HANDLE_INVALID),
        (catalogue.FIND_OBJECTS, (), (), Ckr.OK),
        (catalogue.GENERATE_RANDOM, (), (), Ckr.ARGUMENTS_BAD),
    ],
)
def test_a_number_that_nothing_has_is_refused_as_cryptoki_says(
    desk: Desk, spec: CommandSpec, before: Values, after: Values, ckr: Ckr, huge: int
) -> None:
    assert desk.ask(spec, *before, huge, *after).ckr == ckr


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize(
    ("mechanism", "parameters"),
    [
        (Ckm.RSA_PKCS_PSS, ("huge", 1, 32)),
        (Ckm.SHA256_RSA_PKCS_PSS, (int(Ckm.SHA256), "huge", 32)),
        (Ckm.SHA256_RSA_PKCS_PSS, (int(Ckm.SHA256), 2, "huge")),
        (Ckm.ECDH1_DERIVE, ("huge", b"", bytes(65))),
    ],
)
def test_huge_numbers_in_a_mechanisms_parameter_are_refused(
    desk: Desk, mechanism: Ckm, parameters: tuple[str | int | bytes, ...], huge: int
) -> None:
    block = encode_values(huge if part == "huge" else part for part in parameters)
    if mechanism is Ckm.ECDH1_DERIVE:
        template = (int(Cka.CLASS), int(Cko.SECRET_KEY), int(Cka.VALUE_LEN), 16)
        answer = desk.ask(catalogue.DERIVE_KEY, 3, int(mechanism), block, None, None, *template)
    else:
        answer = desk.ask(catalogue.SIGN, 3, int(mechanism), bytes(32), block)
    assert answer.ckr in (Ckr.MECHANISM_PARAM_INVALID, Ckr.KEY_TYPE_INCONSISTENT)
