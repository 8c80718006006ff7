"""Clones: who goes on honestly never gives a proof, two holders always do, and no server can make one up (V21)."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.cloning import Cloned, CloneProof, read_clone_proof
from fob_protocol.integrity.evidence import Evidence, verify_evidence
from fob_protocol.integrity.measure import initialisation_value
from fob_protocol.integrity.ticket import read_ticket
from fob_protocol.office.errors import Fault, OfficeError
from integrity.made_up import made_up
from support import copy_samples as sample
from support.office_trust import NOW, SERVER

SERVER_KEY: Final = sample.public(SERVER.signing)


@dataclass(slots=True)
class Disk:
    """What a holder keeps of its copy (section 3): numbers, and the request that is under way."""

    program_number: int = 0
    server_number: int = 0
    under_way: bytes | None = None


@dataclass(slots=True)
class Holder:
    """Follows the specification; `name` makes its random numbers, `signed` is all that ever left it."""

    name: str
    disk: Disk = field(default_factory=Disk)
    signed: list[bytes] = field(default_factory=list)

    def ask(self) -> bytes:
        """The request that is under way, or a new one: stored before it is sent."""
        if self.disk.under_way is None:
            number = self.disk.program_number + 1
            iv = initialisation_value(number, made_up(f"{self.name} {len(self.signed)}", 8))
            drafted = sample.evidence(number, server_number=self.disk.server_number, iv=iv)
            self.disk = dataclasses.replace(self.disk, under_way=drafted.signed(sample.HOLDER))
        assert self.disk.under_way is not None
        self.signed.append(self.disk.under_way)
        return self.disk.under_way

    def hear(self, server_number: int) -> None:
        """An answer: both numbers and the end of the request in one step."""
        self.disk = Disk(self.disk.program_number + 1, server_number)

    def copied(self, name: str) -> "Holder":
        """Everything, with the key; only chance is another."""
        return Holder(name, dataclasses.replace(self.disk))


@dataclass(slots=True)
class Server:
    """Rules 2 and 5 of section 3 alone."""

    answers: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    proof: bytes | None = None

    def answer(self, evidence: bytes) -> int | None:
        """The VSSI, the same for the same request; None when a clone is found."""
        number = verify_evidence(sample.public(sample.HOLDER), evidence).program_number
        first, server_number = self.answers.setdefault(number, (evidence, number))
        if first != evidence:
            made = CloneProof(sample.COPY, sample.public(sample.HOLDER), first, evidence, NOW)
            self.proof = made.signed(SERVER.signing)
            return None
        return server_number


def run(holder: Holder, server: Server, steps: str) -> None:
    """Each step asks: `+` and hears, `<` and the request is lost, `>` and the answer is lost."""
    for step in steps:
        evidence = holder.ask()
        if step == "<":
            continue
        server_number = server.answer(evidence)
        if server_number is None:
            return
        if step == "+":
            holder.hear(server_number)


def proves(first: bytes, second: bytes, **changes: Any) -> Fault | None:
    """Why a server's proof of these two requests is none; None: it proves."""
    proof = replace(sample.clone_proof(first, second), **changes)
    try:
        read_clone_proof(SERVER_KEY, proof.signed(SERVER.signing))
    except OfficeError as error:
        return error.fault
    return None


STEPS: Final = st.text("+<>", max_size=8)


@pytest.mark.clause("V21", "V22")
@given(steps=STEPS)
def test_no_two_requests_of_an_honest_holder_are_a_proof(steps: str) -> None:
    """Whatever was lost on the way, also with a server that means it ill and has all that was ever signed."""
    holder, server = Holder("honest"), Server()
    run(holder, server, steps)
    assert server.proof is None
    holder.ask()
    for first, second in combinations(dict.fromkeys(holder.signed), 2):
        assert proves(first, second) is Fault.MALFORMED


@pytest.mark.clause("V21")
@given(before=STEPS, first=STEPS, second=STEPS)
def test_two_holders_of_one_copy_are_found(before: str, first: str, second: str) -> None:
    """At the latest when both have heard twice since: once the request that was under way, and once more."""
    holder, server = Holder("before"), Server()
    run(holder, server, before)
    one, other = holder.copied("one"), holder.copied("other")
    run(one, server, first + "++")
    assert server.proof is None
    run(other, server, second + "++")
    assert server.proof is not None
    found = read_clone_proof(SERVER_KEY, server.proof)
    assert found.first.program_number == found.second.program_number
    assert found.proof.first in one.signed
    assert found.proof.second in other.signed


@pytest.mark.clause("V21")
@given(before=STEPS, lead=st.integers(0, 3))
def test_the_second_log_on_is_enough_when_nothing_was_under_way(before: str, lead: int) -> None:
    holder, server = Holder("before"), Server()
    run(holder, server, before + "+")
    one, other = holder.copied("one"), holder.copied("other")
    run(one, server, "+" * (lead + 1))
    assert server.proof is None
    run(other, server, "<>")
    assert server.proof is not None


@pytest.mark.clause("V21")
def test_a_proof_shows_both_requests_and_blames_neither() -> None:
    """It proves as well with the two exchanged, and holds nothing secret."""
    proof = sample.clone_proof()
    found = read_clone_proof(SERVER_KEY, proof.signed(SERVER.signing))
    assert found == Cloned(proof, sample.evidence(), sample.evidence(time=NOW + 1))
    assert proves(proof.second, proof.first) is None
    assert sample.IDENTIFIER not in proof.octets()


def evidence(number: int = 1, **changes: Any) -> bytes:
    return sample.evidence(number, **changes).signed(sample.HOLDER)


@pytest.mark.clause("V21", "V23")
@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (evidence(), evidence(time=NOW + 1), None),
        (evidence(), evidence(), Fault.MALFORMED),
        (evidence(1), evidence(2), Fault.MALFORMED),
        (evidence(), evidence(time=NOW + 1, copy=bytes(16)), Fault.MALFORMED),
        (evidence(copy=bytes(16)), evidence(time=NOW + 1, copy=bytes(16)), Fault.MALFORMED),
        (evidence(), sample.evidence(time=NOW + 1).signed(sample.THIEF), Fault.WRONG_SIGNATURE),
        (sample.evidence().signed(SERVER.signing), evidence(time=NOW + 1), Fault.WRONG_SIGNATURE),
        (evidence(), evidence(time=NOW + 1)[:-1], Fault.WRONG_SIGNATURE),
        (evidence(), sample.presentation(), Fault.WRONG_SIGNATURE),
        (
            evidence(),
            sign1.sign(sample.HOLDER, Label.REPORT, [], sample.evidence(time=NOW + 1).octets()),
            Fault.WRONG_SIGNATURE,
        ),
    ],
    ids=[
        "two requests", "one twice", "two numbers", "two copies", "another copy", "two keys", "made by the server",
        "cut", "a presentation", "signed as something else",
    ],
)  # fmt: skip
def test_a_server_cannot_make_one_up(first: bytes, second: bytes, fault: Fault | None) -> None:
    assert proves(first, second) == fault


@pytest.mark.clause("V21", "V23")
def test_a_server_cannot_accuse_another_holder() -> None:
    assert proves(evidence(), evidence(time=NOW + 1), holder=sample.public(sample.THIEF)) is Fault.WRONG_SIGNATURE
    assert proves(evidence(), evidence(time=NOW + 1), copy=bytes(16)) is Fault.MALFORMED


# Of the group (RFC 8032, section 5.1).
ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def scalar(key: Ed25519PrivateKey) -> int:
    """By which the base point is multiplied to give the public key."""
    octets = bytearray(hashlib.sha512(key.private_bytes_raw()).digest()[:32])
    octets[0] &= 248
    octets[31] = octets[31] & 127 | 64
    return int.from_bytes(octets, "little")


def signed_by_chance(request: Evidence, chance: Ed25519PrivateKey) -> bytes:
    """The same request with another good signature: Ed25519 with a random number, as some hardware signs."""
    protected, unprotected, payload, _ = cbor2.loads(request.signed(sample.HOLDER)).value
    structure = ["Signature1", protected, cbor2.dumps([Label.EVIDENCE.value]), payload]
    r, message = sample.public(chance), cbor2.dumps(structure, canonical=True)
    h = int.from_bytes(hashlib.sha512(r + sample.public(sample.HOLDER) + message).digest(), "little")
    s = (scalar(chance) + h * scalar(sample.HOLDER)) % ORDER
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, r + s.to_bytes(32, "little")]))


@pytest.mark.clause("V21", "V23")
def test_one_request_with_two_signatures_is_no_proof() -> None:
    first, second = (signed_by_chance(sample.evidence(), key) for key in (sample.THIEF, sample.OTHER_SERVER))
    assert first != second
    assert verify_evidence(sample.public(sample.HOLDER), first) == sample.evidence()
    assert proves(first, second) is Fault.MALFORMED
    assert proves(first, signed_by_chance(sample.evidence(time=NOW + 1), sample.THIEF)) is None


def test_a_proof_is_one_server_s() -> None:
    with pytest.raises(OfficeError, match="not signed by this validation server"):
        read_clone_proof(SERVER_KEY, sample.clone_proof().signed(sample.OTHER_SERVER))
    with pytest.raises(OfficeError):
        read_ticket(SERVER_KEY, sample.clone_proof().signed(SERVER.signing))
