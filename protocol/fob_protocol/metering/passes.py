"""*pass*: who a process of the data centre is, signed by the manufacturing box (docs/meter-protocol.md, section 1)."""

from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Message, Name, Octets32, Time, read


class Kind(IntEnum):
    """What a process is: what it may ask for, and which masters it holds."""

    MANUFACTURING = 1
    STEEL = 2
    METER = 3
    AUTHENTICATION = 4
    TRANSACTION = 5
    FUNCTION = 6
    DATABASE = 7
    COMMUNICATION = 8
    OPERATOR = 9
    PAYMENT = 10

    @property
    def word(self) -> str:
        """As in messages and files: `meter`."""
        return self.name.lower()


class Pass(Message, tag=1, frozen=True):
    """*pass*: `static` is for the handshake, `sealing` for masters and passwords; `signing` is Ed25519, of records.

    `number` goes up with each pass that the manufacturing box signs.
    """

    kind: Kind
    name: Name
    static: Octets32
    sealing: Octets32
    signing: Octets32 | None
    number: Count
    not_after: Time

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the manufacturing box."""
        return sign1.sign(key, Label.PASS, [], self.octets())


def read_pass(manufacturing: bytes, signed: bytes) -> Pass:
    """A pass of the manufacturing box with this public key (raw), however old. Raises OfficeError."""
    try:
        return read(Pass, sign1.verify(manufacturing, Label.PASS, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no pass of this data centre: {error}") from None
