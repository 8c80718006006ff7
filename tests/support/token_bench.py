"""A token on a test bench: cheap PINs, seeded randomness, a clock that only the test moves."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from fob_device.memory import Memory
from fob_device.token.kdf import KdfCost
from fob_device.token.token import Token, TokenSession
from fob_device.token.views import ObjectView
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

ROOT_KEY: Final = bytes(range(32))
SO_PIN: Final = b"so-pin-87654321"
USER_PIN: Final = b"user-pin-1234"
WRONG_PIN: Final = b"wrong-pin"
CHEAP: Final = KdfCost(iterations=1, memory_kib=8, lanes=1)

P256: Final = bytes.fromhex("06082a8648ce3d030107")
P384: Final = bytes.fromhex("06052b81040022")
P521: Final = bytes.fromhex("06052b81040023")
ED25519: Final = bytes.fromhex("06032b6570")

EC_PAIR: Final = Mechanism(Ckm.EC_KEY_PAIR_GEN)
RSA_PAIR: Final = Mechanism(Ckm.RSA_PKCS_KEY_PAIR_GEN)
EDWARDS_PAIR: Final = Mechanism(Ckm.EC_EDWARDS_KEY_PAIR_GEN)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """One phone: its file, and the token while it is on."""

    def __init__(self, path: Path, *, user_pin: bytes | None = USER_PIN, seed: int = 1) -> None:
        self.path = path
        self.clock = Clock()
        self.random = random.Random(seed).randbytes
        self.memory = Memory.create(
            path,
            root_key=ROOT_KEY,
            label="bench",
            so_pin=SO_PIN,
            user_pin=user_pin,
            random=self.random,
            clock=self.clock,
            kdf=CHEAP,
        )
        self.token = self.memory.token

    def open_file(self, path: Path | None = None) -> Memory:
        """The phone's file, or a copy of it at `path`, opened by its own phone."""
        return Memory.open(path or self.path, root_key=ROOT_KEY, random=self.random, clock=self.clock)

    def restart(self) -> Token:
        """Switch the phone off and on."""
        self.token.close()
        self.memory = self.open_file()
        self.token = self.memory.token
        return self.token

    def alter(self, statement: str, *parameters: object) -> None:
        """Somebody writes into the file while the phone is off; it stays off."""
        self.memory.close()
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, parameters)

    def session(self, *users: Cku) -> TokenSession:
        """A link session with these users logged in."""
        session = self.token.open_session()
        for user in users:
            session.login(user, USER_PIN if user is Cku.USER else SO_PIN)
        return session

    def user(self) -> TokenSession:
        """A link session of the user."""
        return self.session(Cku.USER)


@contextlib.contextmanager
def refused(ckr: Ckr) -> Iterator[None]:
    """The block ends with this Cryptoki return value."""
    with pytest.raises(CkrError) as caught:
        yield
    assert caught.value.ckr is ckr, caught.value


def refusal_of(call: Callable[..., object], *arguments: object) -> Ckr | None:
    """How a call is refused, None when it is not."""
    try:
        call(*arguments)
    except CkrError as error:
        return error.ckr
    return None


def data_template(value: bytes = b"some data", **more: bool) -> Attributes:
    """A public data object of the token."""
    template: Attributes = {Cka.CLASS: Cko.DATA, Cka.TOKEN: True, Cka.VALUE: value}
    return template | by_name(more)


def by_name(attributes: Mapping[str, AttributeValue]) -> Attributes:
    """Attributes whose types are given by their names."""
    return {Cka[name]: value for name, value in attributes.items()}


def make_ec(session: TokenSession, curve: bytes = P256, **private: AttributeValue) -> tuple[ObjectView, ObjectView]:
    """A key pair of the token; `private` names attributes of the private half."""
    template: Attributes = {Cka.TOKEN: True, Cka.DERIVE: True}
    return session.generate_key_pair(EC_PAIR, {Cka.TOKEN: True, Cka.EC_PARAMS: curve}, template | by_name(private))


def make_ed25519(session: TokenSession) -> tuple[ObjectView, ObjectView]:
    """An Ed25519 pair of the token."""
    return session.generate_key_pair(EDWARDS_PAIR, {Cka.TOKEN: True, Cka.EC_PARAMS: ED25519}, {Cka.TOKEN: True})
