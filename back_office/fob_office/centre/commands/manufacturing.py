"""Asked of the manufacturing box: who is a process of this data centre, and which meter box owns what (M34)."""

from typing import Annotated

from msgspec import Meta

from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.passes import Kind
from fob_office.centre.limits import SLOTS
from fob_protocol.office.message import Count, Name, Octets32


class Admitted(Reply, frozen=True):
    """The pass as signed, and the masters of the kind, sealed (HPKE) to the process.

    `forgotten`: what the box had signed and did not know any more, in words; else empty.
    """

    shown: bytes
    masters: bytes
    forgotten: str = ""


class Admit(Command[Admitted], frozen=True):
    """A process with these public keys (raw); once more with the same keys gives a newer pass. OPERATOR.

    `newest`: the pass with the highest number that there is here, so that a box whose folder was put back gives none
    of these numbers again. Refused `only-one`, `name-in-use`, `full`, `malformed`; `tampering` for what another key
    signed.
    """

    kind: Kind
    name: Name
    static: Octets32
    sealing: Octets32
    signing: Octets32 | None
    newest: bytes | None = None


class Viewed(Reply, frozen=True):
    """The view as signed. `forgotten`: what the box had signed and did not know any more, in words; else empty."""

    view: bytes
    forgotten: str = ""


class NextView(Command[Viewed], frozen=True):
    """Owner and second of each slot, from the view `after` on (0: there is none yet). OPERATOR.

    Where that is not the newest one, the newest is answered and none is made: an answer that was lost leaves no gap
    in the views that boxes are given. `newest` is that view and `passes` are those of the boxes in `slots`, as this box
    signed them: what it does not know of them any more, as its folder was put back, it takes up again. Refused
    `older-view` for a view that this box has not made, `no-meter-box`, `malformed`; `tampering` for what another key
    signed.
    """

    after: Count
    slots: Annotated[tuple[tuple[Name, Name | None], ...], Meta(min_length=SLOTS, max_length=SLOTS)]
    newest: bytes | None = None
    passes: Annotated[tuple[bytes, ...], Meta(max_length=2 * SLOTS)] = ()
