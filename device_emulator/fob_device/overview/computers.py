"""The paired computers, and what their programs may do without asking."""

from dataclasses import dataclass, replace

from fob_device.approval.questions import Question
from fob_device.phone import Phone
from fob_protocol.history.entry import computer_id, fingerprint


@dataclass(frozen=True, slots=True)
class Computer:
    """`key`: its static key (32 octets). `paired_at`: seconds of the wall clock. `over`: the ports' URL, or nothing."""

    key: bytes
    name: str
    paired_at: float
    is_connected: bool
    over: str

    @property
    def fingerprint(self) -> str:
        """Of its key, as its entries in the history hold it."""
        return fingerprint(computer_id(self.key))


@dataclass(frozen=True, slots=True)
class GrantView:
    """A yes that is remembered; `pc_key` and `number` name it for Phone.revoke."""

    pc_key: bytes
    pc_name: str
    number: int
    question: Question
    seconds_left: int

    @property
    def words(self) -> str:
        """What is allowed; every character is plain."""
        return self.question.words()


def computers(phone: Phone) -> list[Computer]:
    """Every paired one, the one that was paired first at the head."""
    over = {opened.pc_key: opened.over for opened in phone.sessions}
    return [
        Computer(key, phone.pairings.shown_name(key), pc.paired_at, key in over, over.get(key, ""))
        for key, pc in phone.pairings.items()
    ]


def grants(phone: Phone) -> list[GrantView]:
    """Those of all computers, oldest first for each."""
    found = ((key, phone.pairings.shown_name(key), phone.grants_of(key)) for key, _ in phone.pairings.items())
    return [
        GrantView(key, name, grant.number, replace(grant.question, pc_name=name), its.seconds_left(grant))
        for key, name, its in found
        if its is not None
        for grant in its.active()
    ]
