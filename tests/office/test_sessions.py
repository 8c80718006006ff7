"""Sessions: both sides prove what they share, each number is answered once, and nothing is left when they are over."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from fob_office.registration.operating import Registrar
from fob_office.servers.service import identity
from fob_office.sessions.tables import OpenSession, Phase, ProofCount
from fob_protocol.office.certificate import Usage
from fob_protocol.office.entitlements import GetEntitlements, Use, Used
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.hashing import derive
from fob_protocol.office.limits import CHALLENGE_TIME, PROOF_LOCK, PROOFS_LIMIT, SESSION_MESSAGES, SESSION_TIME
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.session import Direction, Open, Opened, Prove, Proved, Said, Say, SessionKeys, agree
from support.office import OfficeScene
from support.office_client import DeviceSession, ReferenceDevice, Shared, device_of, with_key

LOOK = GetEntitlements(None, 0)
WRONG_KEY = bytes(32)


def registered(scene: OfficeScene, seed: int = 1) -> ReferenceDevice:
    device = device_of(scene, seed)
    device.register(f"person {seed}")
    return device


def refusal(act: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        act()
    return refused.value


def session_rows(scene: OfficeScene) -> list[OpenSession]:
    with scene.office.database.read() as session:
        return list(session.scalars(select(OpenSession).order_by(OpenSession.opened)))


@pytest.mark.clause("R19", "R20")
def test_both_sides_prove_and_then_speak_under_keys_that_were_never_sent(scene: OfficeScene) -> None:
    device = registered(scene)
    sent: list[bytes] = []
    answer = device.send

    def overheard(service: Service, sealed: bytes) -> bytes:
        sent.extend([sealed, answered := answer(service, sealed)])
        return answered

    device.send = overheard
    session = device.session()
    assert session.keys is not None
    assert session.use("profile", "show").status == 200
    assert all(key not in octets for octets in sent for key in (session.keys.to_server, session.keys.to_device))


@pytest.mark.clause("R19")
def test_who_does_not_hold_the_key_proves_nothing_and_learns_nothing(scene: OfficeScene) -> None:
    device = registered(scene)
    device.shared["registration"] = with_key(device.shared["registration"], WRONG_KEY)
    session = device.begin()
    session.open()
    assert refusal(session.prove).refusal is Refusal.NOT_PROVED
    session.keys = SessionKeys(session.opened.session, bytes(32), bytes(32)) if session.opened else None
    assert refusal(lambda: session.say(LOOK, Said)).refusal is Refusal.NO_SESSION


@pytest.mark.clause("R19")
def test_a_server_that_does_not_hold_the_key_is_found_out(scene: OfficeScene) -> None:
    device = registered(scene)
    session = device.begin()
    opened = session.open()
    keys = SessionKeys.agreed(WRONG_KEY, agree(session.private, opened.key), session.transcript)
    proved = session.ask(session.proof, Proved)
    with pytest.raises(OfficeError) as raised:
        session.check_server(keys, proved)
    assert raised.value.fault is Fault.WRONG_PROOF


def told(scene: OfficeScene, device: ReferenceDevice, shared: Shared) -> list[tuple[Refusal, int | None]]:
    """What somebody is told who proves wrong things in a row, and then once more after the lock."""
    device.shared["registration"] = shared
    heard = []
    for _ in range(PROOFS_LIMIT + 1):
        error = refusal(device.session)
        heard.append((error.refusal, error.retry_after))
        scene.clock.pass_by(1)
    scene.clock.pass_by(PROOF_LOCK)
    error = refusal(device.session)
    return [*heard, (error.refusal, error.retry_after)]


@pytest.mark.clause("R19", "R6")
def test_an_unknown_code_and_a_wrong_proof_are_not_told_apart_by_the_lock_either(scene: OfficeScene) -> None:
    device = registered(scene)
    shared = device.shared["registration"]
    wrong_proof = told(scene, device, with_key(shared, WRONG_KEY))
    unknown_code = told(scene, device, Shared("registration", bytes(16), "", shared.key))
    not_proved = (Refusal.NOT_PROVED, None)
    assert wrong_proof == unknown_code == [*[not_proved] * PROOFS_LIMIT, (Refusal.LOCKED, PROOF_LOCK - 1), not_proved]


@pytest.mark.clause("R19")
def test_a_lock_holds_the_right_proof_off_too_and_then_lets_the_same_session_go_on(scene: OfficeScene) -> None:
    device = registered(scene)
    shared = device.shared["registration"]
    told_wrong = with_key(shared, WRONG_KEY)
    for _ in range(PROOFS_LIMIT):
        device.shared["registration"] = told_wrong
        refusal(device.session)
    device.shared["registration"] = shared
    session = device.begin()
    session.open()
    assert refusal(session.prove).retry_after == PROOF_LOCK
    scene.clock.pass_by(PROOF_LOCK - 1)
    assert refusal(session.prove).retry_after == 1
    scene.clock.pass_by(1)
    session.prove()
    assert session.get_entitlements().version == 1


@pytest.mark.clause("R19")
def test_a_right_proof_ends_the_row_of_wrong_ones(scene: OfficeScene) -> None:
    device = registered(scene)
    shared = device.shared["registration"]
    for _ in range(3):
        device.shared["registration"] = with_key(shared, WRONG_KEY)
        for _ in range(PROOFS_LIMIT - 1):
            assert refusal(device.session).refusal is Refusal.NOT_PROVED
        device.shared["registration"] = shared
        device.session()
    with scene.office.database.read() as session:
        assert session.scalars(select(ProofCount.wrong)).all() == []


@pytest.mark.clause("R19")
def test_many_wrong_proofs_at_once_are_all_counted(scene: OfficeScene) -> None:
    device = registered(scene)
    device.shared["registration"] = with_key(device.shared["registration"], WRONG_KEY)
    sessions = [device.begin() for _ in range(12)]
    for session in sessions:
        session.open()
    with ThreadPoolExecutor(12) as threads:
        heard = list(threads.map(lambda session: refusal(session.prove).refusal, sessions))
    assert heard.count(Refusal.NOT_PROVED) == PROOFS_LIMIT
    assert heard.count(Refusal.LOCKED) == len(sessions) - PROOFS_LIMIT


@pytest.mark.clause("R20")
@pytest.mark.parametrize(
    "key", [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ecffffff" + "ff" * 27 + "7f")], ids=["0", "1", "-1"]
)
def test_a_key_that_gives_no_secret_opens_no_session(sqlite_scene: OfficeScene, key: bytes) -> None:
    device = registered(sqlite_scene)
    code = device.shared["registration"].user_code
    assert refusal(lambda: device.begin().ask(Open(code, key), Opened)).refusal is Refusal.MALFORMED


@pytest.mark.clause("R20")
def test_the_same_octets_again_are_given_the_same_answer(scene: OfficeScene) -> None:
    device = registered(scene)
    session = device.begin()
    session.open()
    assert session.ask(session.proof, Proved) == session.ask(session.proof, Proved)
    session.prove()
    body = session.seal(Use(None, "profile", "show", b""))
    answers = {session.ask(body, Said).sealed for _ in range(3)}
    assert len(answers) == 1
    assert session.use("profile", "show").status == 200


@pytest.mark.clause("R20")
def test_the_same_sealed_question_opens_one_session(scene: OfficeScene) -> None:
    device = registered(scene)
    answer = device.send

    def twice(service: Service, sealed: bytes) -> bytes:
        answer(service, sealed)
        return answer(service, sealed)

    device.send = twice
    before = len(session_rows(scene))
    device.begin().open()
    assert len(session_rows(scene)) == before + 1


def over(session: DeviceSession) -> bool:
    return refusal(lambda: session.ask(session.seal(LOOK), Said)).refusal is Refusal.NO_SESSION


@pytest.mark.clause("R20")
def test_other_octets_under_a_number_that_was_answered_end_the_session(scene: OfficeScene) -> None:
    session = registered(scene).session()
    session.get_entitlements()
    other = session.seal(Use(None, "profile", "show", b""), number=1)
    assert refusal(lambda: session.ask(other, Said)).refusal is Refusal.OUT_OF_ORDER
    assert refusal(lambda: session.ask(other, Said)).refusal is Refusal.OUT_OF_ORDER
    assert over(session)


@pytest.mark.clause("R20")
@pytest.mark.parametrize("number", [1, 4, SESSION_MESSAGES])
def test_another_number_than_the_next_ends_the_session(scene: OfficeScene, number: int) -> None:
    session = registered(scene).session()
    session.get_entitlements()
    session.get_entitlements()
    wrong = session.seal(LOOK, number)
    assert refusal(lambda: session.ask(wrong, Said)).refusal is Refusal.OUT_OF_ORDER
    assert over(session)


@pytest.mark.clause("R20")
def test_a_message_before_the_proof_ends_the_session(scene: OfficeScene) -> None:
    device = registered(scene)
    session = device.begin()
    opened = session.open()
    early = Say(opened.session, 1, bytes(40))
    assert refusal(lambda: session.ask(early, Said)).refusal is Refusal.OUT_OF_ORDER
    assert refusal(session.prove).refusal is Refusal.NO_SESSION


@pytest.mark.clause("R20")
def test_another_proof_after_the_first_ends_the_session(scene: OfficeScene) -> None:
    session = registered(scene).session()
    other = Prove(session.proof.session, bytes(16), session.proof.proof)
    assert refusal(lambda: session.ask(other, Proved)).refusal is Refusal.OUT_OF_ORDER
    assert over(session)


@pytest.mark.clause("R20")
def test_a_message_that_is_turned_around_or_of_another_session_is_refused(scene: OfficeScene) -> None:
    device = registered(scene)
    for attack in (reflected, of_another_session, under_another_number):
        session, other = device.session(), device.session()
        wrong = attack(session, other)
        assert refusal(lambda: session.ask(wrong, Said)).refusal is Refusal.OUT_OF_ORDER  # noqa: B023 - called at once
        assert over(session)
        assert other.get_entitlements().version == 1


def reflected(session: DeviceSession, _: DeviceSession) -> Say:
    """What the server has said comes back."""
    assert session.keys is not None
    return Say(session.keys.session, 1, session.keys.seal(Direction.TO_DEVICE, 1, LOOK.octets()))


def of_another_session(session: DeviceSession, other: DeviceSession) -> Say:
    assert session.keys is not None
    assert other.keys is not None
    return Say(session.keys.session, 1, other.keys.seal(Direction.TO_SERVER, 1, LOOK.octets()))


def under_another_number(session: DeviceSession, _: DeviceSession) -> Say:
    assert session.keys is not None
    return Say(session.keys.session, 1, session.keys.seal(Direction.TO_SERVER, 2, LOOK.octets()))


@pytest.mark.clause("R20")
def test_a_device_refuses_an_answer_that_is_turned_around_or_of_another_number(scene: OfficeScene) -> None:
    session = registered(scene).session()
    assert session.keys is not None
    said = session.ask(session.seal(LOOK), Said)
    for direction, number in ((Direction.TO_SERVER, 1), (Direction.TO_DEVICE, 2)):
        with pytest.raises(OfficeError) as raised:
            session.keys.unseal(direction, number, said.sealed)
        assert raised.value.fault is Fault.OUT_OF_ORDER


@pytest.mark.clause("R20")
def test_two_runs_at_the_same_time_do_not_meet(scene: OfficeScene) -> None:
    device = registered(scene)
    first, second = device.begin(), device.begin()
    first.open()
    second.open()
    assert first.opened is not None
    assert second.opened is not None
    crossed = Prove(second.opened.session, first.challenge, first.proof.proof)
    assert refusal(lambda: second.ask(crossed, Proved)).refusal is Refusal.NOT_PROVED
    first.prove()
    third = device.session()
    for session in (first, third, first, third):
        assert session.use("profile", "show").status == 200


@pytest.mark.clause("R20")
def test_a_session_belongs_to_one_server(scene: OfficeScene) -> None:
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION, Usage.ENTITLEMENT))
    device = registered(scene)
    device.register("Alice", "bank")
    session, other = device.session(), device.session("bank")
    assert refusal(lambda: other.ask(session.seal(LOOK), Said)).refusal is Refusal.NO_SESSION
    assert session.get_entitlements().server == "registration"


@pytest.mark.clause("R20")
def test_a_session_is_over_after_its_time(scene: OfficeScene) -> None:
    device = registered(scene)
    session = device.session()
    scene.clock.pass_by(SESSION_TIME)
    session.get_entitlements()
    scene.clock.pass_by(1)
    assert over(session)
    waiting = device.begin()
    waiting.open()
    scene.clock.pass_by(CHALLENGE_TIME + 1)
    assert refusal(waiting.prove).refusal is Refusal.NO_SESSION


@pytest.mark.clause("R20")
def test_a_session_is_over_after_its_last_number(sqlite_scene: OfficeScene) -> None:
    session = registered(sqlite_scene).session()
    with sqlite_scene.office.database.write() as database:
        row = database.scalars(select(OpenSession).where(OpenSession.phase == Phase.PROVED)).all()[-1]
        row.number = session.number = SESSION_MESSAGES - 1
    assert session.get_entitlements().version == 1
    beyond = Say(session.proof.session, SESSION_MESSAGES + 1, b"")
    assert refusal(lambda: session.ask(beyond, Said)).refusal is Refusal.MALFORMED


@pytest.mark.clause("R20", "R21")
def test_a_session_is_over_when_its_registration_is_revoked(scene: OfficeScene) -> None:
    device = registered(scene)
    session = device.session()
    Registrar(scene.office).revoke(device.shared["registration"].user_code)
    assert over(session)
    assert refusal(device.session).refusal is Refusal.NOT_PROVED


@pytest.mark.clause("R28")
def test_keys_that_leak_later_open_no_earlier_session(scene: OfficeScene) -> None:
    """All that the office holds afterwards, K and both of its private keys too, does not make the session's keys."""
    device = registered(scene)
    session = device.session()
    said = session.ask(session.seal(LOOK), Said)
    assert session.keys is not None
    scene.clock.pass_by(SESSION_TIME + 1)
    device.session()
    [row] = session_rows(scene)
    assert row.shared is None
    certificate = scene.certificate("registration")
    with scene.office.database.read() as database:
        server = identity(database, scene.office.sealer, certificate.server)
    assert session.opened is not None
    public = session.private.public_key().public_bytes_raw()
    guesses = [
        agree(server.sealing_key, public), agree(server.sealing_key, session.opened.key), bytes(32),
        derive(device.shared["registration"].key, None, []),
    ]  # fmt: skip
    for shared in guesses:
        keys = SessionKeys.agreed(device.shared["registration"].key, shared, session.transcript)
        with pytest.raises(OfficeError):
            keys.unseal(Direction.TO_DEVICE, 1, said.sealed)


@pytest.mark.clause("R28")
def test_secrets_of_a_session_are_erased_with_each_step_and_at_its_end(scene: OfficeScene) -> None:
    device = registered(scene)
    scene.clock.pass_by(SESSION_TIME + 1)
    session = device.begin()
    session.open()
    [row] = session_rows(scene)
    assert (row.phase, row.shared is None, row.keys) == (Phase.OPENED, False, None)
    session.prove()
    [row] = session_rows(scene)
    assert (row.phase, row.shared, row.keys is None) == (Phase.PROVED, None, False)
    refusal(lambda: session.ask(session.seal(LOOK, 9), Said))
    [row] = session_rows(scene)
    assert (row.phase, row.shared, row.keys) == (Phase.ENDED, None, None)


@pytest.mark.clause("R20")
def test_a_body_that_is_no_message_uses_its_number_up_and_is_refused(scene: OfficeScene) -> None:
    session = registered(scene).session()
    assert session.keys is not None
    for octets in (b"", b"\x80", b"\x82\x09\x00", b"\x85\x02\xf6\x61A\x60\x40"):
        body = Say(
            session.keys.session, session.number + 1, session.keys.seal(Direction.TO_SERVER, session.number + 1, octets)
        )
        assert refusal(lambda: session.ask(body, Said)).refusal is Refusal.MALFORMED  # noqa: B023 - called at once
        session.refused()
    assert session.get_entitlements().version == 1


@pytest.mark.clause("R24")
def test_one_session_serves_every_application(scene: OfficeScene) -> None:
    session = registered(scene).session()
    assert read(Used, session.use("profile", "show").octets()).status == 200
    assert session.get_entitlements().applications == {"profile": 2}


@pytest.mark.clause("R20")
def test_old_sessions_and_counts_are_erased_by_later_ones(scene: OfficeScene) -> None:
    device = registered(scene)
    shared = device.shared["registration"]
    device.shared["registration"] = with_key(shared, WRONG_KEY)
    refusal(device.session)
    scene.clock.pass_by(86_401)
    device.shared["registration"] = shared
    device.session()
    with scene.office.database.read() as session:
        assert session.scalar(select(func.count()).select_from(OpenSession)) == 1
        assert session.scalar(select(func.count()).select_from(ProofCount)) == 0
