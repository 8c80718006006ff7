"""Mailers of a bench: what their devices would say to a data centre, sealed before time is taken."""

import os
import time
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_protocol.cose import hpke
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.metering.answers import SignedUp
from fob_protocol.metering.indicium import addressee_digest
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.login import seal_password
from fob_protocol.metering.requests import (
    Ask,
    Authenticated,
    FrankRequest,
    LoadRequest,
    Piece,
    SignUp,
    SignUpRequest,
    authenticated,
)
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.envelope import Asked, Service, ask
from fob_protocol.office.message import Message

VALUE_KIND: Final = "eur-cent"
# The rate component whose tickets a data centre admits when nothing else is said.
RATES: Final = "postage-rates"
_AUDIENCE: Final = "metering"
_PASSWORD: Final = "correct horse battery staple"
_DAY: Final = 86_400
_ADDRESSEE: Final = addressee_digest("Tante Frieda, Weg 1, 80331 Muenchen")


@dataclass(frozen=True)
class Counter:
    """What mailers know of a data centre: its certificate, whose tickets it admits, and where passwords go."""

    certificate: Certificate
    validation: Ed25519PrivateKey
    password_key: bytes


class Mailer:
    """A person with a device, of one name."""

    def __init__(self, counter: Counter, name: str) -> None:
        self._counter = counter
        self._name = name
        self._signing = Ed25519PrivateKey.generate()
        self._sealing = X25519PrivateKey.generate()
        self._account, self._serial, self._key = b"", "", b""
        self._ticket = self._validated()

    def sign_up(self) -> Asked:
        """For a meter."""
        request = SignUpRequest(
            request_id=os.urandom(16),
            name=self._name,
            password=b"",
            value_kind=VALUE_KIND,
            payment=Payment.PREPAID,
            refill=None,
            origins=("10115",),
            presentation=b"",
            signing_key=self._signing.public_key().public_bytes_raw(),
            sealing_key=self._sealing.public_key().public_bytes_raw(),
            time=int(time.time()),
        )
        password = seal_password(self._counter.password_key, request, _PASSWORD)
        request = replace(request, password=password, presentation=self._presentation(request.request_id))
        return self._sealed(SignUp(request.signed(self._signing)))

    def keep(self, answer: SignedUp) -> None:
        """What a device keeps."""
        self._account, self._serial = answer.account, answer.serial
        self._key = hpke.unseal_with(self._sealing, Label.USER_AUTHENTICATION_KEY, [answer.account], answer.key)

    def frank(self, pieces: int) -> Asked:
        """So many letters, of a cent each."""
        request = os.urandom(16)
        piece = Piece(1, "80331", _ADDRESSEE, None, "letter")
        return self._authenticated(
            FrankRequest(
                request_id=request,
                account=self._account,
                serial=self._serial,
                time=int(time.time()),
                presentation=self._presentation(request),
                integrity=bytes(32),
                pieces=(piece,) * pieces,
            )
        )

    def load(self, amount: int) -> Asked:
        """Money onto the meter."""
        return self._authenticated(LoadRequest(os.urandom(16), self._account, self._serial, int(time.time()), amount))

    def _authenticated(self, request: Authenticated) -> Asked:
        return self._sealed(Ask(authenticated(self._key, request)))

    def _sealed(self, message: Message) -> Asked:
        return ask(self._counter.certificate, Service.METERING, message.octets(), os.urandom)

    def _presentation(self, nonce: bytes) -> bytes:
        """Of the one ticket, as a device shows it all day."""
        return Presentation(self._ticket).signed(self._signing, _AUDIENCE, nonce)

    def _validated(self) -> bytes:
        """A ticket for the rate component (V18), good for a day."""
        now = int(time.time())
        ticket = Ticket(
            server="validation",
            time=now,
            until=now + _DAY,
            holder=self._signing.public_key().public_bytes_raw(),
            evidence=bytes(32),
            copy=os.urandom(16),
            program=RATES,
            version=(1, 0, 0),
            identifier_name=bytes(32),
            program_number=1,
            server_number=1,
            iv=None,
        )
        return ticket.signed(self._counter.validation)
