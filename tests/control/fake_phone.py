"""A phone for the tests of control socket and command line: real public keys, a PIN, a person who agrees or not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fob_daemon.cryptoki.interface import AttributeAnswer, SessionInfo, TokenInfo
from fob_daemon.cryptoki.public_keys import CURVES, ED25519_PARAMS
from fob_daemon.device.away import AwayError
from fob_daemon.device.grants import Grant
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.peer import PeerIdentity
from fob_protocol.pkcs11.attributes import Attributes, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko, Cks
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SessionFlag, TokenFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from rpc.fake_application import FakeApplication

T = TypeVar("T")

PIN = b"4711"
BASE_FLAGS = TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED | TokenFlag.TOKEN_INITIALIZED


@dataclass
class FakePhone:
    """`refusal` is what the phone answers to every operation that needs it; `logins` has the PINs that it saw."""

    label: str
    serial: str
    has_pin_pad: bool = False
    refusal: Ckr | None = None
    fault: str = ""
    is_away: bool = False
    loses_link: bool = False
    objects: dict[int, Attributes] = field(default_factory=dict)
    logins: list[bytes | None] = field(default_factory=list)
    next_handle: int = 1
    applications: int = 0
    grants: list[Grant] = field(default_factory=list)
    # After a power cut it knows a login again by its ticket, while that is good.
    was_cut: bool = False
    tickets_are_good: bool = True
    resumed: int = 0
    # Clear it and the phone waits for its person.
    approval: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.approval.set()

    @property
    def flags(self) -> TokenFlag:
        return BASE_FLAGS | (TokenFlag.PROTECTED_AUTHENTICATION_PATH if self.has_pin_pad else TokenFlag(0))

    def add(self, attributes: Attributes) -> int:
        handle = self.next_handle
        self.next_handle += 1
        self.objects[handle] = attributes
        return handle

    async def ask(self) -> None:
        await self.approval.wait()
        if self.fault:
            raise ZeroDivisionError(self.fault)
        if self.is_away:
            raise AwayError("the line ended")
        if self.loses_link:
            raise FateUnknownError("the link was lost")
        if self.refusal is not None:
            raise CkrError(self.refusal)


class PhoneApplication(FakeApplication):
    """One application that uses one phone of `phones` (by slot), the one that it opens a session with."""

    def __init__(self, phones: Mapping[int, FakePhone], peer: PeerIdentity) -> None:
        super().__init__()
        self.phones = phones
        self.peer = peer
        self.slot = 0
        self.logged_in = False
        self.matches: list[int] = []

    @property
    def phone(self) -> FakePhone:
        return self.phones[self.slot]

    def get_token_info(self, slot: int) -> TokenInfo:
        phone = self.phones[slot]
        return TokenInfo(phone.label, "Fob", "Fake", phone.serial, phone.flags, 1, 1, 4, 64, (1, 0), (1, 0))

    def open_session(self, slot: int, flags: int) -> int:
        if slot not in self.phones:
            raise CkrError(Ckr.SLOT_ID_INVALID)
        self.slot = slot
        self.phone.applications += 1
        return 1

    def get_session_info(self, session: int) -> SessionInfo:
        state = Cks.RW_USER_FUNCTIONS if self.logged_in else Cks.RW_PUBLIC_SESSION
        return SessionInfo(self.slot, state, SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)

    async def login(self, session: int, user_type: int, pin: bytes | None) -> None:
        await self.phone.ask()
        self.phone.logins.append(pin)
        if pin is not None and pin != PIN:
            raise CkrError(Ckr.PIN_INCORRECT)
        self.phone.was_cut = False
        self.logged_in = True

    async def within_login(self, session: int, ask: Callable[[], Awaitable[T]]) -> T:
        if self.phone.was_cut:
            if not self.phone.tickets_are_good:
                self.logged_in = False
                raise CkrError(Ckr.USER_NOT_LOGGED_IN, "the login ended on the device")
            self.phone.was_cut = False
            self.phone.resumed += 1
        return await ask()

    async def logout(self, session: int) -> None:
        self.logged_in = False

    def find_objects_init(self, session: int, template: Template) -> None:
        self.matches = [
            handle
            for handle, attributes in self.phone.objects.items()
            if (self.logged_in or not attributes[Cka.PRIVATE])
            and all(attributes.get(attribute) == value for attribute, value in template.items())
        ]

    def find_objects(self, session: int, limit: int) -> list[int]:
        return self.matches[:limit]

    def find_objects_final(self, session: int) -> None:
        self.matches = []

    async def get_attribute_values(self, session: int, handle: int, types: Sequence[int]) -> list[AttributeAnswer]:
        attributes = self.phone.objects[handle]
        return [attributes.get(attribute, Ckr.ATTRIBUTE_TYPE_INVALID) for attribute in types]

    async def destroy_object(self, session: int, handle: int) -> None:
        await self.phone.ask()
        del self.phone.objects[handle]

    async def generate_key_pair(
        self, session: int, mechanism: Mechanism, public: Template, private: Template
    ) -> tuple[int, int]:
        await self.phone.ask()
        made = made_key(mechanism, public)
        public_handle = self.phone.add({**public, **made, Cka.CLASS: Cko.PUBLIC_KEY})
        return public_handle, self.phone.add({**private, **made, Cka.CLASS: Cko.PRIVATE_KEY})

    def close(self) -> None:
        if self.slot:
            self.phone.applications -= 1


def made_key(mechanism: Mechanism, public: Template) -> Attributes:
    """The public attributes of a fresh key."""
    if mechanism.type == Ckm.RSA_PKCS_KEY_PAIR_GEN:
        bits = public[Cka.MODULUS_BITS]
        assert isinstance(bits, int)
        numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
        return {Cka.KEY_TYPE: Ckk.RSA, Cka.MODULUS: numbers.n.to_bytes(bits // 8, "big")}
    parameters = public[Cka.EC_PARAMS]
    assert isinstance(parameters, bytes)
    if parameters in ED25519_PARAMS:
        point = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {Cka.KEY_TYPE: Ckk.EC_EDWARDS, Cka.EC_POINT: b"\x04\x20" + point}
    key = ec.generate_private_key(CURVES[parameters].curve).public_key()
    raw = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    length = bytes((len(raw),)) if len(raw) < 128 else bytes((0x81, len(raw)))
    return {Cka.KEY_TYPE: Ckk.EC, Cka.EC_POINT: b"\x04" + length + raw}
