"""Every message of the protocol: what is written is read again, and what is not exactly one is malformed."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect as types

import fob_protocol.integrity
import fob_protocol.office
from fob_protocol.cose import cbor
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.office.envelope import Refused
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, read


def modules(*packages: ModuleType) -> Iterator[str]:
    """Their names."""
    for package in packages:
        yield from (module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))


def kinds() -> Iterator[type[Message]]:
    """All of fob_protocol.office and fob_protocol.integrity."""
    for module in modules(fob_protocol.office, fob_protocol.integrity):
        loaded = importlib.import_module(module)
        for _, kind in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(kind, Message) and kind is not Message and kind.__module__ == loaded.__name__:
                yield kind


KINDS = sorted(kinds(), key=lambda kind: f"{kind.__module__}.{kind.__name__}")

# Names of elements that nobody shall read in a log; a mark holds a copy's identifier.
SECRETS = {"ssk1", "ssk2", "authorisation_key", "integrity_value", "mark", "seed"}

# There are many kinds.
FEWER = settings(max_examples=settings().max_examples // 10)


def values(kind: types.Type) -> st.SearchStrategy[Any]:
    """What may stand where this type is asked for."""
    return STRATEGIES[type(kind)](kind)


def integers(kind: types.IntType) -> st.SearchStrategy[int]:
    most = kind.le if kind.lt is None else kind.lt - 1
    return st.integers(kind.ge, most)


def octets_of(kind: types.BytesType) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=kind.min_length or 0, max_size=min(kind.max_length or 64, 64))


def texts(kind: types.StrType) -> st.SearchStrategy[str]:
    if kind.pattern is not None:
        return st.from_regex(kind.pattern)
    return st.text(min_size=kind.min_length or 0, max_size=min(kind.max_length or 20, 20))


def lists(kind: types.VarTupleType) -> st.SearchStrategy[tuple[Any, ...]]:
    if isinstance(kind.item_type, types.StructType) and kind.item_type.cls is HeldCopy:
        # It may hold others of its kind: one without them is enough.
        return st.just(())
    items = st.lists(values(kind.item_type), min_size=kind.min_length or 0, max_size=min(kind.max_length or 3, 3))
    return items.map(tuple)


STRATEGIES: dict[type[types.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    types.IntType: integers,
    types.BytesType: octets_of,
    types.StrType: texts,
    types.BoolType: lambda _: st.booleans(),
    types.NoneType: lambda _: st.none(),
    types.EnumType: lambda kind: st.sampled_from(kind.cls),
    types.StructType: lambda kind: messages(kind.cls),
    types.TupleType: lambda kind: st.tuples(*map(values, kind.item_types)),
    types.VarTupleType: lists,
    types.DictType: lambda kind: st.dictionaries(values(kind.key_type), values(kind.value_type), max_size=3),
    types.UnionType: lambda kind: st.one_of(*map(values, kind.types)),
}


def messages(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Messages of a kind."""
    struct = types.type_info(kind)
    assert isinstance(struct, types.StructType)
    return st.tuples(*(values(field.type) for field in struct.fields)).map(lambda parts: kind(*parts))


def anything() -> st.SearchStrategy[Any]:
    """A CBOR value that is no message, most of the time."""
    plain = st.one_of(
        st.none(), st.booleans(), st.integers(-(1 << 63), (1 << 64) - 1), st.binary(max_size=40), st.text(max_size=20)
    )
    keys = st.one_of(st.integers(0, 5), st.text(max_size=5))
    return st.recursive(
        plain, lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner)), max_leaves=8
    )


# Their last element is not said where it is empty.
SHORTER = (Refused,)


def is_malformed(kind: type[Message], octets: bytes) -> bool:
    """Whether it is refused; what is taken is exactly what was sent."""
    fault = None
    try:
        assert read(kind, octets).octets() == octets
    except OfficeError as error:
        fault = error.fault
    assert fault in (None, Fault.MALFORMED)
    return fault is not None


def test_no_message_was_missed() -> None:
    assert len(KINDS) > 60
    assert {kind.__name__ for kind in KINDS} >= {
        "Certificate",
        "Question",
        "Request",
        "Manifest",
        "Release",
        "Report",
        "Evidence",
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}")
@FEWER
@given(data=st.data())
def test_what_is_written_is_read(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    octets = message.octets()
    assert read(kind, octets) == message
    # One element more, one less, and one of another type.
    elements = cbor.decode(octets)
    assert isinstance(elements, list)
    assert is_malformed(kind, cbor.encode([*elements, None]))
    assert is_malformed(kind, octets + b"\0")
    assert is_malformed(kind, octets[:-1])
    if elements:
        assert is_malformed(kind, cbor.encode(elements[:-1])) or kind in SHORTER
        at = data.draw(st.integers(0, len(elements) - 1))
        is_malformed(kind, cbor.encode([*elements[:at], data.draw(anything()), *elements[at + 1 :]]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}")
@FEWER
@given(octets=st.binary(max_size=80) | anything().map(cbor.encode))
def test_anything_else_is_malformed(kind: type[Message], octets: bytes) -> None:
    is_malformed(kind, octets)


def test_a_text_in_base64_is_no_octets() -> None:
    """msgspec alone would take it."""

    class Octets(Message, frozen=True):
        value: bytes

    assert msgspec.convert(["AAAA"], Octets).value == bytes(3)
    assert is_malformed(Octets, cbor.encode(["AAAA"]))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if SECRETS & set(kind.__struct_fields__)])
@FEWER
@given(data=st.data())
def test_messages_with_secrets_do_not_show_them(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    assert "\\x" not in repr(message)
    assert not any(repr(getattr(message, name)) in repr(message) for name in SECRETS if getattr(message, name, None))
