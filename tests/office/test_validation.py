"""Service `validation`, rule by rule (docs/integrity-protocol.md, section 3). A test is named by its line's word."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import disable, enable, resynchronise
from fob_office.distribution.tables import Copy
from fob_office.office import open_office
from fob_office.validation.service import EVIDENCE_TIME
from fob_office.validation.tables import Validation
from fob_protocol.integrity.evidence import Evidence, SecretPart, commitment
from fob_protocol.integrity.limits import CHALLENGE_TIME, VALIDATION_TIME
from fob_protocol.integrity.measure import initialisation_value
from fob_protocol.integrity.method import Technique, Variant
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import (
    ChallengeGiven,
    GetChallenge,
    NotValidated,
    State,
    Validate,
    Validated,
    Verdict,
)
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from support.holder import HeldCopy, ReferenceHolder
from support.octets import flipped
from support.office import OfficeScene, office_scene, surroundings
from support.office_holders import (
    add_program,
    direct,
    holder_of,
    policy,
    rates_holder,
    refused,
    results,
    state_of,
)
from support.office_shop import OPERATOR, ordered_device
from support.office_work import all_rows

SERIALS = count(1)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeScene]:
    """One office for all of them: each test has a device of its own."""
    state = tmp_path_factory.mktemp("state")
    with office_scene(state) as made:
        yield made


@pytest.fixture
def serial() -> str:
    return f"M-{next(SERIALS):04}"


@pytest.fixture
def holder(scene: OfficeScene, serial: str) -> ReferenceHolder:
    """With a copy of component `rates`."""
    return rates_holder(scene, serial=serial)


@pytest.fixture
def copy(holder: ReferenceHolder) -> HeldCopy:
    return holder.copies["rates"]


def verdict(answer: Ticket | Verdict) -> State:
    assert isinstance(answer, Verdict)
    return answer.state


def is_admitted(holder: ReferenceHolder, name: str = "rates") -> bool:
    return isinstance(holder.validate(name), Ticket)


def ask_lying(holder: ReferenceHolder, copy: HeldCopy, **lies: object) -> Refusal:
    """The word for a request that differs in this; the holder goes on as if it had never been made."""
    holder.request(copy, holder.challenge(copy), **lies)
    word = refused(lambda: holder.send(copy))
    copy.pending = None
    return word


@pytest.mark.clause("V11", "V12", "V15", "V17")
def test_a_copy_that_measures_right_has_a_ticket_at_each_start(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    for number in (1, 2, 3):
        scene.clock.pass_by(60)
        ticket = holder.validate("rates")
        assert isinstance(ticket, Ticket)
        assert (ticket.program_number, ticket.server_number, ticket.time) == (number, number, scene.clock.time)
    with scene.office.database.read() as session:
        assert session.scalars(select(Copy.validated).where(Copy.number == copy.number)).one() == scene.clock.time
    assert results(scene, copy.number) == [(1, "valid"), (2, "valid"), (3, "valid")]


# Line 1.


def by_a_stranger(copy: HeldCopy, message: Validate) -> Validate:
    evidence = holder_evidence(copy, message)
    return Validate(evidence.signed(STRANGER), message.secret)


def holder_evidence(copy: HeldCopy, message: Validate) -> Evidence:
    secret = message.secret
    return Evidence(copy.number, 1, 0, 0, copy.validation.server, None, commitment(secret))


def with_a_changed_signature(_: HeldCopy, message: Validate) -> Validate:
    return Validate(flipped(message.evidence), message.secret)


def with_another_integrity_value(_: HeldCopy, message: Validate) -> Validate:
    secret = message.secret
    return Validate(message.evidence, SecretPart(secret.identifier, bytes(32), secret.challenge))


def with_another_identifier(_: HeldCopy, message: Validate) -> Validate:
    secret = message.secret
    return Validate(message.evidence, SecretPart(bytes(32), secret.integrity_value, secret.challenge))


def of_no_copy(copy: HeldCopy, message: Validate) -> Validate:
    secret = message.secret
    evidence = Evidence(bytes(16), 1, 0, 0, copy.validation.server, None, commitment(secret))
    return Validate(evidence.signed(STRANGER), secret)


DENIED: list[Callable[[HeldCopy, Validate], Validate]] = [
    by_a_stranger, with_a_changed_signature, with_another_integrity_value, with_another_identifier, of_no_copy,
]  # fmt: skip


@pytest.mark.clause("V13", "V23")
@pytest.mark.parametrize("wrong", DENIED)
def test_denied_flags_nothing(
    holder: ReferenceHolder, copy: HeldCopy, scene: OfficeScene, wrong: Callable[[HeldCopy, Validate], Validate]
) -> None:
    message = wrong(copy, holder.request(copy, holder.challenge(copy)))
    word = refused(lambda: holder.ask(Service.VALIDATION, copy.validation.server, message))
    assert (word, state_of(scene, copy.number), results(scene, copy.number)) == (Refusal.DENIED, State.VALID, [])
    # The honest request is as good as before.
    assert is_admitted(holder)


@pytest.mark.clause("V23")
def test_a_copy_that_another_device_s_key_signs_for_is_denied(scene: OfficeScene, holder: ReferenceHolder) -> None:
    other = rates_holder(scene, serial=f"M-{next(SERIALS):04}")
    stolen = holder.copies["rates"]
    other.copies["rates"] = stolen
    other.request(stolen, other.challenge(stolen))
    assert refused(lambda: other.send(stolen)) is Refusal.DENIED
    assert state_of(scene, stolen.number) is State.VALID


def test_a_disabled_device_is_denied(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy, serial: str
) -> None:  # fmt: skip
    set_state(scene.office, serial, DeviceState.DISABLED, OPERATOR)
    assert ask_lying(holder, copy) is Refusal.DENIED
    set_state(scene.office, serial, DeviceState.ACTIVE, OPERATOR)
    assert is_admitted(holder)


# Line 2.


@pytest.mark.clause("V14")
def test_the_last_request_is_answered_again_and_those_of_before_are_replayed(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    requests, answers = [], []
    for _ in range(3):
        requests.append(holder.request(copy, holder.challenge(copy)))
        answers.append(holder.send(copy))
        holder.take(copy, answers[-1])
    again = [holder.ask(Service.VALIDATION, "integrity", requests[-1]) for _ in range(2)]
    assert again == [answers[-1]] * 2
    for old in requests[:-1]:
        assert refused(partial(holder.ask, Service.VALIDATION, "integrity", old)) is Refusal.REPLAYED
    assert results(scene, copy.number) == [(1, "valid"), (2, "valid"), (3, "valid")]
    assert is_admitted(holder)


@pytest.mark.clause("V14")
def test_what_is_older_than_all_that_is_kept_is_replayed(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    old = holder.request(copy, holder.challenge(copy))
    holder.take(copy, holder.send(copy))
    assert is_admitted(holder)
    scene.clock.pass_by(EVIDENCE_TIME + 1)
    assert is_admitted(holder)
    assert is_admitted(holder)
    assert results(scene, copy.number) == [(3, "valid"), (4, "valid")]
    assert refused(lambda: holder.ask(Service.VALIDATION, "integrity", old)) is Refusal.REPLAYED
    # Another request under a number of which nothing is kept is no proof of anything.
    copy.program_number = 0
    assert ask_lying(holder, copy, server_number=0) is Refusal.REPLAYED
    assert state_of(scene, copy.number) is State.VALID


# Line 3.


@pytest.mark.clause("V16")
def test_disabled_is_the_next_request_s_verdict(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    assert is_admitted(holder)
    disable(scene.office, copy.number, OPERATOR)
    assert verdict(holder.validate("rates")) is State.DISABLED
    assert verdict(holder.validate("rates")) is State.DISABLED
    enable(scene.office, copy.number, OPERATOR)
    assert is_admitted(holder)
    assert results(scene, copy.number) == [(1, "valid"), (2, "disabled"), (3, "disabled"), (4, "valid")]


@pytest.mark.clause("V15", "V16")
def test_what_is_invalid_stays_so(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    copy.octets, honest = copy.octets + b"!", copy.octets
    assert verdict(holder.validate("rates")) is State.INVALID
    copy.octets = honest
    assert verdict(holder.validate("rates")) is State.INVALID
    assert state_of(scene, copy.number) is State.INVALID


# Line 4.


@pytest.mark.clause("V11")
def test_other_verifier(holder: ReferenceHolder, copy: HeldCopy) -> None:
    assert ask_lying(holder, copy, server="another") is Refusal.OTHER_VERIFIER
    assert is_admitted(holder)


@pytest.mark.clause("V3", "V11")
def test_a_request_for_the_right_server_at_another_one(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    """It names the server that the copy's record names, and another one's key would sign the answer."""
    message = holder.request(copy, holder.challenge(copy))
    elsewhere = partial(direct(scene.office), Service.VALIDATION, "configuration", message)
    assert refused(elsewhere) is Refusal.OTHER_VERIFIER
    assert results(scene, copy.number) == [(1, "other-verifier")]


# Line 5 is in test_clones.py. Line 6.


@pytest.mark.clause("V14")
@pytest.mark.parametrize("lie", [{"program_number": 3}, {"program_number": 1_000_000}, {"server_number": 0}])
def test_out_of_sequence(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy, lie: dict[str, int]
) -> None:  # fmt: skip
    assert is_admitted(holder)
    iv = initialisation_value(lie.get("program_number", 2), bytes(8))
    assert ask_lying(holder, copy, iv=iv, **lie) is Refusal.OUT_OF_SEQUENCE
    # It uses up nothing, and the honest next one is good.
    assert copy.program_number == 1
    assert is_admitted(holder)
    assert sorted(result for _, result in results(scene, copy.number)) == ["out-of-sequence", "valid", "valid"]


@pytest.mark.clause("V14", "V22")
def test_an_office_that_was_put_back_goes_on_when_the_operator_says_so(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    assert is_admitted(holder)
    with scene.office.database.read() as session:
        row = session.scalars(select(Copy).where(Copy.number == copy.number)).one()
        columns = ("identifier", "program_number", "server_number", "request", "answer")
        old = {column: getattr(row, column) for column in columns}
    assert [is_admitted(holder) for _ in range(3)] == [True] * 3
    with scene.office.database.write() as session:
        row = session.scalars(select(Copy).where(Copy.number == copy.number)).one()
        for column, value in old.items():
            setattr(row, column, value)
        for line in session.scalars(select(Validation).where(Validation.copy == row.id, Validation.program_number > 1)):
            session.delete(line)
    holder.request(copy, holder.challenge(copy))
    for _ in range(2):
        assert refused(lambda: holder.send(copy)) is Refusal.OUT_OF_SEQUENCE
    resynchronise(scene.office, copy.number, OPERATOR)
    # The very request that was refused is good now.
    assert is_admitted(holder)
    assert is_admitted(holder)
    assert results(scene, copy.number) == [(1, "valid"), (5, "valid"), (6, "valid")]


@pytest.mark.clause("V14", "V15")
def test_a_holder_is_believed_once_and_no_more(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    assert is_admitted(holder)
    resynchronise(scene.office, copy.number, OPERATOR)
    copy.program_number = 6
    assert is_admitted(holder)
    iv = initialisation_value(9, bytes(8))
    assert ask_lying(holder, copy, program_number=9, iv=iv) is Refusal.OUT_OF_SEQUENCE
    # Nor an identifier that is not the copy's, under the right number.
    copy.identifier = bytes(32)
    assert verdict(holder.validate("rates")) is State.INVALID


@pytest.mark.clause("V15")
def test_resynchronising_believes_no_measurement(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    assert is_admitted(holder)
    resynchronise(scene.office, copy.number, OPERATOR)
    copy.program_number, copy.octets = 8, b"other octets"
    assert verdict(holder.validate("rates")) is State.INVALID


# Line 7.


@pytest.mark.clause("V7")
def test_a_challenge_is_good_for_its_time(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    for late, word in ((0, None), (1, Refusal.STALE_CHALLENGE)):
        challenge = holder.challenge(copy)
        scene.clock.pass_by(CHALLENGE_TIME + late)
        holder.request(copy, challenge)
        if word is None:
            assert is_admitted(holder)
        else:
            assert refused(lambda: holder.send(copy)) is word
    assert is_admitted(holder)


@pytest.mark.clause("V7")
def test_a_challenge_is_good_once(holder: ReferenceHolder, copy: HeldCopy) -> None:
    challenge = holder.challenge(copy)
    holder.request(copy, challenge)
    assert is_admitted(holder)
    holder.request(copy, challenge)
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE
    assert is_admitted(holder)


@pytest.mark.clause("V7", "V23")
def test_nobody_pushes_out_the_challenge_that_a_holder_has(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    """Whoever knows a copy's number may ask for challenges of it: they are given, kept nowhere, and harm nobody."""
    challenge = holder.challenge(copy)
    before = all_rows(scene)
    others = [holder.challenge(copy) for _ in range(50)]
    assert all_rows(scene) == before
    assert len({*others, challenge}) == 51
    holder.request(copy, challenge)
    assert is_admitted(holder)
    assert results(scene, copy.number) == [(1, "valid")]
    # All of them were for that request, and are over with it.
    for other in others[:3]:
        holder.request(copy, other)
        assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE


@pytest.mark.clause("V7")
@pytest.mark.parametrize("at", [0, 7, 8, 15, 16, 31])
def test_a_challenge_that_was_changed_is_none(holder: ReferenceHolder, copy: HeldCopy, at: int) -> None:
    challenge = bytearray(holder.challenge(copy) or b"")
    challenge[at] ^= 1
    holder.request(copy, bytes(challenge))
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE


@pytest.mark.clause("V7")
def test_a_challenge_is_one_server_s(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    body = direct(scene.office)(Service.VALIDATION, "configuration", GetChallenge(copy.number))
    holder.request(copy, read(ChallengeGiven, body).challenge)
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE


@pytest.mark.clause("V7")
def test_any_machine_of_the_office_knows_a_challenge_of_another(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    second = open_office(scene.office.settings, {}, surroundings(scene.clock, seed=7))
    try:
        body = direct(second)(Service.VALIDATION, "integrity", GetChallenge(copy.number))
    finally:
        second.close()
    holder.request(copy, read(ChallengeGiven, body).challenge)
    assert is_admitted(holder)


@pytest.mark.clause("V7")
def test_a_challenge_is_one_copy_s(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    other = rates_holder(scene, serial=f"M-{next(SERIALS):04}")
    for challenge in (other.challenge(other.copies["rates"]), bytes(32)):
        holder.request(copy, challenge)
        assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE
    assert is_admitted(holder)
    assert is_admitted(other)


def next_challenge(holder: ReferenceHolder, copy: HeldCopy) -> bytes:
    """The one that comes with the VAL_OK of a request."""
    holder.request(copy, holder.challenge(copy))
    body = holder.send(copy)
    holder.take(copy, body)
    challenge = read(Validated, body).challenge
    assert challenge is not None
    return challenge


@pytest.mark.clause("V7")
def test_with_val_ok_comes_the_challenge_of_the_next_request(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    challenge = next_challenge(holder, copy)
    message = holder.request(copy, challenge)
    scene.clock.pass_by(CHALLENGE_TIME)
    # In time for its challenge; what is sent again is answered again.
    copy.pending = message = holder.request(copy, challenge)
    body = holder.send(copy)
    assert holder.send(copy) == body
    following = read(Validated, body).challenge
    holder.take(copy, body)
    # Used, it is nothing any more; the same request is what was answered last, and not after another one.
    holder.request(copy, challenge)
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE
    assert refused(lambda: holder.ask(Service.VALIDATION, "integrity", message)) is Refusal.REPLAYED
    # It was for the request behind that one, whose number is used up now too.
    holder.request(copy, following)
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE
    assert is_admitted(holder)


@pytest.mark.clause("V7")
def test_the_challenge_that_came_with_val_ok_is_good_for_its_time_and_its_copy(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    other = rates_holder(scene, serial=f"M-{next(SERIALS):04}")
    challenge = next_challenge(holder, copy)
    next_challenge(other, other.copies["rates"])
    other.request(other.copies["rates"], challenge)
    assert refused(lambda: other.send(other.copies["rates"])) is Refusal.STALE_CHALLENGE
    scene.clock.pass_by(CHALLENGE_TIME + 1)
    holder.request(copy, challenge)
    assert refused(lambda: holder.send(copy)) is Refusal.STALE_CHALLENGE
    assert is_admitted(holder)


@pytest.mark.clause("V7", "V16")
def test_a_copy_that_was_disabled_has_its_verdict_whatever_challenge_it_has(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    challenge = next_challenge(holder, copy)
    disable(scene.office, copy.number, OPERATOR)
    holder.request(copy, challenge)
    assert read(NotValidated, holder.send(copy))


# Line 8.


@pytest.mark.clause("V14")
@pytest.mark.parametrize("late", [0, 1])
def test_late(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy, late: int) -> None:
    said = scene.clock.time - VALIDATION_TIME - late
    holder.request(copy, holder.challenge(copy), time=said)
    if late:
        assert refused(lambda: holder.send(copy)) is Refusal.LATE
    assert is_admitted(holder)


# Line 9.


@pytest.mark.clause("V10")
@pytest.mark.parametrize(
    "iv", [None, initialisation_value(2, bytes(8)), bytes(16)], ids=["none", "of the next request", "zeros"]
)
def test_an_iv_is_that_of_its_request(holder: ReferenceHolder, copy: HeldCopy, iv: bytes | None) -> None:
    secret = SecretPart(copy.identifier, bytes(32), challenge := holder.challenge(copy))
    holder.request(copy, challenge, iv=iv, secret=secret)
    assert refused(lambda: holder.send(copy)) is Refusal.IV_USED
    assert is_admitted(holder)


@pytest.mark.clause("V10")
def test_an_iv_of_before_is_used(holder: ReferenceHolder, copy: HeldCopy) -> None:
    holder.request(copy, holder.challenge(copy), iv=(used := initialisation_value(1, bytes(8))))
    assert is_admitted(holder)
    holder.request(copy, holder.challenge(copy), iv=used)
    assert refused(lambda: holder.send(copy)) is Refusal.IV_USED


@pytest.mark.clause("V10")
def test_a_variant_without_an_iv_takes_none(scene: OfficeScene, serial: str) -> None:
    octets = add_program(scene, "tables", b"a program")
    policy(scene, "tables", variant="VA-6")
    holder = holder_of(scene, ordered_device(scene, serial=serial).system_key)
    holder.fetch({"tables": octets})
    copy = holder.copies["tables"]
    holder.request(copy, holder.challenge(copy), iv=initialisation_value(1, bytes(8)))
    assert refused(lambda: holder.send(copy)) is Refusal.IV_USED
    assert is_admitted(holder, "tables")


# Line 10.


def changed_in_one_bit(copy: HeldCopy) -> None:
    copy.octets = flipped(copy.octets)


def shortened(copy: HeldCopy) -> None:
    copy.octets = copy.octets[:-1]


def with_an_identifier_of_its_own(copy: HeldCopy) -> None:
    copy.identifier = bytes(32)


@pytest.mark.clause("V2", "V15")
@pytest.mark.parametrize("spoil", [changed_in_one_bit, shortened, with_an_identifier_of_its_own])
def test_invalid(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy, spoil: Callable[[HeldCopy], None]
) -> None:
    assert is_admitted(holder)
    spoil(copy)
    assert verdict(holder.validate("rates")) is State.INVALID
    assert results(scene, copy.number) == [(1, "valid"), (2, "invalid")]


@pytest.mark.clause("V21")
def test_an_identifier_that_was_not_rolled_is_found(
    scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy
) -> None:
    first = copy.identifier
    assert is_admitted(holder)
    assert copy.identifier != first
    copy.identifier = first
    assert verdict(holder.validate("rates")) is State.INVALID


@pytest.mark.clause("V21")
def test_what_does_not_roll_stays(scene: OfficeScene, serial: str) -> None:
    octets = add_program(scene, "stays", b"a program")
    policy(scene, "stays", rolls=False)
    holder = holder_of(scene, ordered_device(scene, serial=serial).system_key)
    holder.fetch({"stays": octets})
    first = holder.copies["stays"].identifier
    assert is_admitted(holder, "stays")
    assert is_admitted(holder, "stays")
    assert holder.copies["stays"].identifier == first


# The order of the lines.


def lines() -> Iterator[tuple[dict[str, object], Refusal]]:
    """Each lie is one line's; a request that has it and all that come behind is told this line's word."""
    yield {"server": "another"}, Refusal.OTHER_VERIFIER
    yield {"program_number": 9}, Refusal.OUT_OF_SEQUENCE
    yield {"challenge": bytes(32)}, Refusal.STALE_CHALLENGE
    yield {"time": 0}, Refusal.LATE
    yield {"iv": bytes(16)}, Refusal.IV_USED


@pytest.mark.clause("V14")
def test_lines_are_looked_at_in_their_order(scene: OfficeScene, holder: ReferenceHolder, copy: HeldCopy) -> None:
    told = list(lines())
    for number, (_, word) in enumerate(told):
        lies = {name: value for lie, _ in told[number:] for name, value in lie.items()}
        challenge = holder.challenge(copy)
        challenge = lies.pop("challenge", challenge)  # type: ignore[assignment]
        lies["secret"] = SecretPart(bytes(32), bytes(32), challenge)
        holder.request(copy, challenge, **lies)
        assert refused(lambda: holder.send(copy)) is word
        if word in (Refusal.OTHER_VERIFIER, Refusal.OUT_OF_SEQUENCE):
            # With a number that is not the next one nothing is used up.
            copy.program_number, copy.pending = 0, None
    assert state_of(scene, copy.number) is State.VALID


# Every method.


@pytest.mark.clause("V5", "V6", "V8", "V9")
@pytest.mark.parametrize("technique", list(Technique))
def test_every_technique_and_variant_of_any_octets(scene: OfficeScene, technique: Technique, serial: str) -> None:
    """Programs are any octets: none at all, one, an odd number, and more than a piece."""
    holder = holder_of(scene, ordered_device(scene, serial=serial).system_key, ask=direct(scene.office))
    sizes = {Variant.VA_1: 0, Variant.VA_2: 1, Variant.VA_7: 300_001}
    for variant in Variant:
        name = f"{technique.name.lower()}-{variant}"
        octets = add_program(scene, name, scene.random.randbytes(sizes.get(variant, 255)))
        policy(scene, name, technique=technique.name, variant=f"VA-{variant}")
        if technique in (Technique.D2, Technique.D4):
            letter = make_letter(scene.office, name, (1, 0, 0), None, OPERATOR)
            holder.enrol(letter, name, octets)
        else:
            holder.fetch({name: octets})
        assert holder.copies[name].record.method.technique is technique
        assert is_admitted(holder, name)
        assert is_admitted(holder, name)
        holder.copies[name].octets += b"\0"
        assert verdict(holder.validate(name)) is State.INVALID
