"""Two holders of one copy's state: found, both flagged, proved to anybody, and the honest one is not guessed (V21)."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from msgspec.structs import replace

from fob_office.distribution.operating import reissue
from fob_office.events.service import events_after
from fob_office.validation.proofs import proof_of
from fob_protocol.integrity.cloning import CloneProof, read_clone_proof
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import State, Verdict
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from support.holder import ReferenceHolder
from support.octets import flipped
from support.office import OfficeScene, office_scene
from support.office_holders import direct, rates_holder, results, state_of
from support.office_shop import OPERATOR

SERIALS = count(1)

# What the holder has done of one conversation when its state is copied.
Point = Callable[[ReferenceHolder], None]


def nothing(_: ReferenceHolder) -> None:
    """Between two conversations."""


def asked_for_a_challenge(holder: ReferenceHolder) -> None:
    holder.challenge(holder.copies["rates"])


def stored_a_request(holder: ReferenceHolder) -> None:
    copy = holder.copies["rates"]
    holder.request(copy, holder.challenge(copy))


def lost_the_answer(holder: ReferenceHolder) -> None:
    stored_a_request(holder)
    holder.send(holder.copies["rates"])


def was_admitted(holder: ReferenceHolder) -> None:
    holder.validate("rates")


POINTS = [nothing, asked_for_a_challenge, stored_a_request, lost_the_answer, was_admitted]
HOLD_THE_SAME_REQUEST = (stored_a_request, lost_the_answer)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeScene]:
    with office_scene(tmp_path_factory.mktemp("state")) as made:
        yield made


def new_holder(scene: OfficeScene) -> ReferenceHolder:
    return rates_holder(scene, ask=direct(scene.office), serial=f"M-{next(SERIALS):04}")


def log_on(holder: ReferenceHolder) -> State | Refusal | None:
    """None: it was admitted."""
    try:
        answer = holder.validate("rates")
    except RefusedError as error:
        return error.refusal
    return answer.state if isinstance(answer, Verdict) else None


def assert_proved(scene: OfficeScene, holder: ReferenceHolder) -> None:
    """With the server's public key and nothing else."""
    copy = holder.copies["rates"]
    with scene.office.database.read() as session:
        signed = proof_of(session, copy.number)
    cloned = read_clone_proof(copy.validation.signing_key, signed)
    assert (cloned.proof.copy, cloned.proof.holder) == (copy.number, holder.public_key)
    assert cloned.first.program_number == cloned.second.program_number
    assert cloned.first != cloned.second


@pytest.mark.clause("V21")
@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("is_clone_first", [False, True])
def test_a_clone_is_found_at_its_second_log_on_at_the_latest(
    shop: OfficeScene, point: Point, before: int, is_clone_first: bool
) -> None:
    holder = new_holder(shop)
    for _ in range(before):
        assert log_on(holder) is None
    point(holder)
    clone = holder.clone(seed=99)
    first, second = (clone, holder) if is_clone_first else (holder, clone)
    assert log_on(first) is None
    told = [log_on(second)]
    if point in HOLD_THE_SAME_REQUEST:
        # The very same request has the very same answer; the next one is another.
        assert told == [None]
        assert log_on(first) is None
        told = [log_on(second)]
    assert told == [State.CLONED]
    number = holder.copies["rates"].number
    assert state_of(shop, number) is State.CLONED
    assert_proved(shop, holder)
    # Neither goes on, whichever is the honest one.
    assert [log_on(first), log_on(second), log_on(first)] == [State.CLONED] * 3
    assert {result for _, result in results(shop, number)} == {"valid", "cloned"}


@pytest.mark.clause("V14", "V21", "V22")
def test_whoever_waits_for_an_answer_when_the_clone_is_found_hears_of_it(shop: OfficeScene) -> None:
    holder = new_holder(shop)
    clone = holder.clone(seed=99)
    lost_the_answer(holder)
    assert log_on(clone) is State.CLONED
    # Its request is not said again as if nothing had happened.
    assert log_on(holder) is State.CLONED
    assert log_on(holder) is State.CLONED


@pytest.mark.clause("V14", "V21")
def test_a_clone_with_a_request_of_before_is_refused_as_a_replay(shop: OfficeScene) -> None:
    """It could be anybody's who has listened, so nothing is flagged; and a request of its own is another one."""
    holder = new_holder(shop)
    stored_a_request(holder)
    clone = holder.clone(seed=99)
    assert [log_on(holder), log_on(holder)] == [None, None]
    assert log_on(clone) is Refusal.REPLAYED
    assert state_of(shop, holder.copies["rates"].number) is State.VALID
    clone.copies["rates"].pending = None
    assert log_on(clone) is State.CLONED
    assert log_on(holder) is State.CLONED


@pytest.mark.clause("V21")
def test_one_far_behind_is_found_too(shop: OfficeScene) -> None:
    holder = new_holder(shop)
    clone = holder.clone(seed=99)
    assert [log_on(holder) for _ in range(5)] == [None] * 5
    assert log_on(clone) is State.CLONED
    assert_proved(shop, holder)


@pytest.mark.clause("V21")
def test_a_proof_is_no_proof_when_anything_of_it_is_changed(shop: OfficeScene) -> None:
    holder = new_holder(shop)
    clone = holder.clone(seed=99)
    assert [log_on(holder), log_on(clone)] == [None, State.CLONED]
    copy = holder.copies["rates"]
    with shop.office.database.read() as session:
        signed = proof_of(session, copy.number)
    proof = read_clone_proof(copy.validation.signing_key, signed).proof
    other = new_holder(shop)
    made_up = (
        replace(proof, second=proof.first), replace(proof, holder=other.public_key), replace(proof, copy=bytes(16)),
    )  # fmt: skip
    for wrong in made_up:
        with pytest.raises(OfficeError):
            read_clone_proof(copy.validation.signing_key, CloneProof.signed(wrong, other.key))
    with pytest.raises(OfficeError):
        read_clone_proof(copy.validation.signing_key, flipped(signed))


@pytest.mark.clause("V16", "V21")
def test_an_operator_hears_of_it_and_says_when_there_is_another_one(shop: OfficeScene) -> None:
    holder = new_holder(shop)
    clone = holder.clone(seed=99)
    assert [log_on(holder), log_on(clone)] == [None, State.CLONED]
    number = holder.copies["rates"].number
    with shop.office.database.read() as session:
        events = [(event.what, event.about) for event in events_after(session, 0)]
    assert events[-1] == ("copy cloned", number.hex())
    holder.fetch({"rates": holder.copies["rates"].octets}, replaced=[number])
    assert log_on(holder) is State.CLONED
    reissue(shop.office, number, OPERATOR)
    holder.fetch({"rates": holder.copies["rates"].octets}, replaced=[number])
    assert isinstance(holder.validate("rates"), Ticket)
    # Who has the old state is left behind, also when it asks for copies: it does not know the new identifier.
    assert log_on(clone) is State.CLONED


@pytest.mark.clause("V21", "V23")
def test_a_proof_needs_the_holder_s_key(shop: OfficeScene) -> None:
    """Nobody else can make a copy look cloned: what he signs is denied."""
    holder, stranger = new_holder(shop), new_holder(shop)
    assert log_on(holder) is None
    copy = holder.clone(seed=99).copies["rates"]
    copy.program_number = 0
    message = stranger.request(copy, bytes(32))
    with pytest.raises(RefusedError) as refused:
        stranger.ask(Service.VALIDATION, "integrity", message)
    assert refused.value.refusal is Refusal.DENIED
    assert log_on(holder) is None
