"""Many devices, apart from each other; and two who come at the same time (C9, C23, C24)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from fob_office.components.tables import Chunk
from fob_office.orders.service import change_order
from fob_protocol.office.configuration import Configure, Granted, Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.limits import CHUNK_SIZE, TICKET_TIME
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.release import unwrap_key
from support.octets import flipped
from support.office import OfficeScene
from support.office_device import OfficeDevice, Plan
from support.office_shop import OPERATOR, content, inventory, ordered_device, release, versions


def planned(device: OfficeDevice, purpose: Purpose = Purpose.FIRST) -> tuple[Granted, Plan]:
    answer, challenge = device.ask(purpose)
    assert isinstance(answer, Granted)
    return answer, device.check(answer, challenge)


def no_content(device: OfficeDevice, ticket: bytes, wanted: bytes, index: int = 0) -> bool:
    with pytest.raises(RefusedError) as refused:
        device.chunk(ticket, wanted, index)
    return refused.value.refusal is Refusal.NO_CONTENT


@pytest.mark.clause("C9", "C23")
def test_a_set_is_worth_nothing_to_another_device(scene: OfficeScene) -> None:
    release(scene, "rates")
    one, other = ordered_device(scene, "rates"), ordered_device(scene, "rates", serial="M-0002")
    granted, _ = planned(one)
    _, challenge = other.ask()
    with pytest.raises(OfficeError) as error:
        other.check(granted, challenge)
    assert error.value.fault is Fault.OTHER_DEVICE
    with pytest.raises(OfficeError) as error:
        unwrap_key(granted.keys[0], other.sealing_key, granted.releases[0])
    assert error.value.fault is Fault.OTHER_DEVICE


@pytest.mark.clause("C23")
def test_a_ticket_opens_what_was_granted_and_nothing_else(scene: OfficeScene) -> None:
    release(scene, "rates", octets=content(CHUNK_SIZE))
    release(scene, "slogan")
    one, other = ordered_device(scene, "rates"), ordered_device(scene, "slogan", serial="M-0002")
    granted, plan = planned(one)
    _, others = planned(other)
    rates, slogan = plan.items[0].digest, others.items[0].digest
    assert len(one.chunk(granted.ticket, rates, 0)) == CHUNK_SIZE
    assert no_content(one, granted.ticket, slogan)
    assert no_content(one, granted.ticket, rates, 2)
    assert no_content(one, flipped(granted.ticket), rates)
    assert no_content(one, bytes(64), rates)
    change_order(scene.office, one.serial, ["rates", "slogan"], OPERATOR)
    newer, _ = planned(one)
    assert no_content(one, granted.ticket, rates)
    scene.clock.pass_by(TICKET_TIME)
    assert one.chunk(newer.ticket, slogan, 0)
    scene.clock.pass_by(1)
    assert no_content(one, newer.ticket, slogan)


@pytest.mark.clause("C8")
def test_what_lies_and_travels_is_sealed(scene: OfficeScene) -> None:
    row = release(scene, "rates", octets=b"the secret of the rates" * 10)
    device = ordered_device(scene, "rates")
    granted, plan = planned(device)
    with scene.office.database.read() as session:
        stored = b"".join(session.scalars(select(Chunk.data).where(Chunk.release == row.id)))
        assert session.scalar(select(func.count()).select_from(Chunk)) == 1
    assert b"secret of the rates" not in stored + granted.octets() + row.content_key
    assert plan.items[0].key not in granted.octets() + row.content_key + stored
    assert device.fetch(plan, plan.items[0]) == b"the secret of the rates" * 10


@pytest.mark.clause("C9")
def test_many_devices_at_once_each_get_their_own(scene: OfficeScene) -> None:
    for name in ("rates", "slogan", "zones"):
        release(scene, name, octets=name.encode() * 2000)
    wanted = [["rates"], ["slogan"], ["zones"], ["rates", "zones"]] * 3
    devices = [
        ordered_device(scene, *options, serial=f"M-{number:04}") for number, options in enumerate(wanted)
    ]  # fmt: skip
    with ThreadPoolExecutor(len(devices)) as pool:
        list(pool.map(OfficeDevice.configure, devices))
    for device, options in zip(devices, wanted, strict=True):
        assert device.contents == {name: name.encode() * 2000 for name in options}


@pytest.mark.clause("C24")
def test_of_parallel_requests_of_one_counter_one_wins(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    challenge = device.challenge()
    messages = []
    for _ in range(6):
        device.counter = 0
        # Sealing is random, so each request has other octets under the same counter.
        messages.append(device.request(challenge))
    barrier = Barrier(len(messages))

    def ask(message: Configure) -> bool:
        barrier.wait()
        try:
            device.answer_to(message)
        except RefusedError as error:
            return error.refusal is not Refusal.DENIED
        return True

    with ThreadPoolExecutor(len(messages)) as pool:
        assert sorted(pool.map(ask, messages)) == [False] * 5 + [True]


@pytest.mark.clause("C24")
def test_parallel_repeats_of_one_request_get_one_answer(scene: OfficeScene) -> None:
    release(scene, "rates")
    device = ordered_device(scene, "rates")
    message = device.request(device.challenge())
    barrier = Barrier(6)

    def ask(_: int) -> bytes:
        barrier.wait()
        return device.answer_to(message).octets()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(ask, range(6)))) == 1


class KilledError(Exception):
    """The line, or one of the ends, at a message."""


class Cutting:
    """Carries messages and fails once: before the office has one, or after, when its answer is lost."""

    def __init__(self, scene: OfficeScene, at: int) -> None:
        self._scene = scene
        self._left = at

    def __call__(self, service: Service, sealed: bytes) -> bytes:
        lost_before, self._left = self._left == 0, self._left - 1
        if lost_before:
            raise KilledError
        answer = self._scene.answering.answer(service, sealed)
        lost_after, self._left = self._left == 0, self._left - 1
        if lost_after:
            raise KilledError
        return answer


@pytest.mark.clause("C27")
def test_a_kill_at_every_message_and_a_retry_end_in_one_state(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    release(scene, "rates", octets=content(CHUNK_SIZE + 10))
    cuts = 0
    while True:
        device = ordered_device(scene, "rates", serial=f"M-{cuts:04}")
        device.carry = Cutting(scene, cuts)
        try:
            device.configure()
        except KilledError:
            device.carry = scene.answering.answer
            device.configure()
            assert len(device.contents["rates"]) == CHUNK_SIZE + 10
            assert versions(device.catalogue) == {"rates": (1, 0, 0)}
            assert device.set_number == 1
            assert inventory(scene, device.serial) == device.catalogue
            cuts += 1
        else:
            break
    # Challenge, request, two chunks and the report, each cut before and after.
    assert cuts == 10
