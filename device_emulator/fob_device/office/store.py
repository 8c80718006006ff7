"""What the device keeps of its office, in its sealed items: every change is on the disk before it counts."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from fob_device.office.configuration import PendingRequest
from fob_device.office.factory import VARIANT
from fob_device.office.registration import PendingRegistration
from fob_device.sealed_items import SealedItems
from fob_device.store.office_rows import USER_ITEMS
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.office.component import Catalogue, Component
from fob_protocol.office.configuration import Notice, Notices, Variant
from fob_protocol.office.entitlements import Entitlements
from fob_protocol.office.known import Known
from fob_protocol.office.limits import FIELD_LIMIT, PATH_LIMIT
from fob_protocol.office.message import Message, Name, Nonce, Octets32, Title, read
from fob_protocol.office.trust import Trust

KNOWN: Final = "known servers"
COUNTER: Final = "counter"
CONFIGURED: Final = "configured"
REQUEST: Final = "pending request"
REPORT: Final = "pending report"
NOTICES: Final = "notices"
REGISTRATION: Final = USER_ITEMS + "registration/"
PENDING: Final = USER_ITEMS + "pending/"

_COUNTER_SIZE: Final = 8


class Registration(Message, tag=1, frozen=True):
    """At one server; `key` is K under the PIN, `fields` H of what was filled in.

    `entitlements`: the newest that the server signed for this user.
    """

    server: Name
    title: Title
    application: Name
    name: Annotated[str, Meta(max_length=FIELD_LIMIT)]
    access_path: Annotated[str, Meta(max_length=PATH_LIMIT)]
    user_code: Nonce
    fields: Octets32
    key: bytes
    entitlements: Entitlements | None = None

    def __repr__(self) -> str:
        return f"Registration({self.server!r}, ...)"

    @property
    def version(self) -> int:
        """Of the entitlements that are held; 0 before the first."""
        return self.entitlements.version if self.entitlements else 0


class _Noticed(Message, tag=1, frozen=True):
    """The notices, and the catalogue that they are about."""

    notices: Notices
    about: Catalogue


@dataclass(frozen=True, slots=True)
class OfficeStore:
    """Every method raises CkrError for a file that cannot be used, TokenFileError for an item that was altered."""

    items: SealedItems
    issuer: bytes = field(repr=False)

    def known(self) -> Known:
        """Servers; at first nobody, and no time."""
        octets = self.items.get(KNOWN)
        return Known(Trust(self.issuer)) if octets is None else Known.from_octets(self.issuer, octets)

    def keep_known(self, known: Known) -> None:
        """From now on."""
        self.items.put({KNOWN: known.octets()})

    def variant(self) -> Variant:
        """How the device shows who it is; the factory said so."""
        octets = self.items.get(VARIANT)
        return Variant.SEALED_IDENTIFIER if octets is None else Variant(octets[0])

    def next_counter(self, least: int = 0) -> int:
        """Used up before it is used: no power cut gives it again."""
        counter = max(int.from_bytes(self.items.get(COUNTER) or b"\0") + 1, least)
        self.items.put({COUNTER: counter.to_bytes(_COUNTER_SIZE)})
        return counter

    def is_configured(self) -> bool:
        """Whether the first configuration has succeeded (C13)."""
        return self.items.get(CONFIGURED) is not None

    def keep_configured(self) -> None:
        """For good."""
        self.items.put({CONFIGURED: b"\1"})

    def pending_request(self) -> PendingRequest | None:
        """One that may have been sent, and was not answered."""
        octets = self.items.get(REQUEST)
        return None if octets is None else read(PendingRequest, octets)

    def keep_request(self, pending: PendingRequest) -> None:
        """Before it is sent."""
        self.items.put({REQUEST: pending.octets()})

    def forget_request(self) -> None:
        """It was answered, or is worth nothing any more."""
        self.items.put({REQUEST: None})

    def pending_report(self) -> bytes | None:
        """The signed report that is sent until it is answered."""
        return self.items.get(REPORT)

    def keep_report(self, report: bytes | None) -> None:
        """Before it is sent; None when it was answered."""
        self.items.put({REPORT: report})

    def notices(self, about: tuple[Component, ...]) -> tuple[Notice, ...]:
        """Newer versions that the office told of, as long as the same is installed (C11)."""
        octets = self.items.get(NOTICES)
        if octets is None:
            return ()
        noticed = read(_Noticed, octets)
        return noticed.notices if noticed.about == about else ()

    def keep_notices(self, notices: tuple[Notice, ...], about: tuple[Component, ...]) -> None:
        """In place of older ones. `about`: what is installed now; some of what the notices name may be part of it."""
        held = {component.id: component.version for component in about}
        true = tuple(
            replace(notice, installed=held[notice.component])
            for notice in notices
            if notice.component in held and held[notice.component] < notice.newest
        )
        self.items.put({NOTICES: _Noticed(true, about).octets()})

    def registration(self, server: str) -> Registration | None:
        """Of the token's user at a server."""
        octets = self.items.get(REGISTRATION + server)
        return None if octets is None else read(Registration, octets)

    def registrations(self) -> list[Registration]:
        """All of them, by server."""
        servers = [name.removeprefix(REGISTRATION) for name in self.items.names() if name.startswith(REGISTRATION)]
        return [registration for server in servers if (registration := self.registration(server)) is not None]

    def wrapped_key(self, server: str, user_code: bytes, key: bytes, master_key: bytes) -> bytes:
        """K under the PIN."""
        return self.items.wrap(master_key, f"{REGISTRATION}{server} {user_code.hex()}", key)

    def key_of(self, registration: Registration, master_key: bytes) -> bytes:
        """K."""
        name = f"{REGISTRATION}{registration.server} {registration.user_code.hex()}"
        return self.items.unwrap(master_key, name, registration.key)

    def keep_registration(self, registration: Registration) -> None:
        """K is there, and in the same moment both secrets that made it are gone (R15)."""
        server = registration.server
        entry = Entry(Kind.SETTING_CHANGED, words=f"registered at {server}")
        self.items.put({REGISTRATION + server: registration.octets(), PENDING + server: None}, entry)

    def keep_entitlements(self, registration: Registration) -> None:
        """With newer entitlements."""
        self.items.put({REGISTRATION + registration.server: registration.octets()})

    def pending_registration(self, server: str, master_key: bytes) -> PendingRegistration | None:
        """A request that may have been sent, and whose key is not there yet."""
        wrapped = self.items.get(PENDING + server)
        if wrapped is None:
            return None
        return read(PendingRegistration, self.items.unwrap(master_key, PENDING + server, wrapped))

    def keep_pending(self, server: str, pending: PendingRegistration, master_key: bytes) -> None:
        """Before it is sent, under the PIN: it holds SSK1."""
        self.items.put({PENDING + server: self.items.wrap(master_key, PENDING + server, pending.octets())})

    def forget_pending(self, server: str) -> None:
        """It is worth nothing any more."""
        self.items.put({PENDING + server: None})
