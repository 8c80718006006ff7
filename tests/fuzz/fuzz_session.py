"""Records of a peer that has the right keys and no manners: nothing runs twice, nothing breaks, memory is bounded."""

import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.limits import ASSEMBLIES_LIMIT, OUTSTANDING_LIMIT, PARKED_LIMIT, TEXT_LIMIT, WINDOW
    from fob_protocol.link.frames import Frame, Kind
    from fob_protocol.session.handshake import SessionKeys
    from fob_protocol.session.records import INDEXED, Sealer
    from fob_protocol.session.requester import Answered, Requester
    from fob_protocol.session.responder import Responder, Run
    from fob_protocol.session.timing import LineTiming

PC_KEY, DEVICE_KEY = b"p" * 32, b"d" * 32
OPEN_LIMIT = OUTSTANDING_LIMIT + PARKED_LIMIT
ENTRIES_LIMIT = WINDOW + PARKED_LIMIT + OPEN_LIMIT + ASSEMBLIES_LIMIT
RECORDS = [kind for kind in Kind if kind >= Kind.REQUEST and kind is not Kind.CLOSE]
WITH_TOTAL = (Kind.REQUEST_PART, Kind.ANSWER_PART)
STEPS_LIMIT = 200


def record(provider: atheris.FuzzedDataProvider, sealer: Sealer) -> Frame:
    """Any record, sealed with the right key."""
    kind = provider.PickValueInList(RECORDS)
    near, far = provider.ConsumeIntInRange(0, 100), provider.ConsumeIntInRange(0, 70_000)
    part: tuple[int, ...] = ()
    if kind in INDEXED:
        part = (provider.ConsumeIntInRange(0, 5),)
    if kind in WITH_TOTAL:
        part += (provider.ConsumeIntInRange(0, 4) or 0xFFFF,)
    size = provider.PickValueInList([0, 1, 16, 511, 512, 513])
    return sealer.seal(kind, near if provider.ConsumeBool() else far, bytes(size), part=part)


def to_device(provider: atheris.FuzzedDataProvider) -> None:
    """A PC without manners."""
    sealer, responder = Sealer(PC_KEY), Responder(SessionKeys(DEVICE_KEY, PC_KEY))
    running: list[int] = []
    ran: set[int] = set()
    now = 0.0
    for _ in range(STEPS_LIMIT):
        if not provider.remaining_bytes():
            return
        now += provider.PickValueInList([0.0, 0.05, 2.0])
        happening = responder.receive(record(provider, sealer), now)
        if isinstance(happening, Run):
            assert happening.number not in ran, "a request ran twice"
            assert len(happening.text) <= TEXT_LIMIT
            ran.add(happening.number)
            running.append(happening.number)
        if running and provider.ConsumeBool():
            responder.answer(running.pop(), bytes(provider.PickValueInList([0, 100, 2_000])))
        responder.due(now)
        assert len(running) <= OPEN_LIMIT
        assert len(responder._entries) <= ENTRIES_LIMIT


def to_pc(provider: atheris.FuzzedDataProvider) -> None:
    """A device without manners."""
    sealer, requester = Sealer(DEVICE_KEY), Requester(SessionKeys(PC_KEY, DEVICE_KEY), LineTiming(), 0.0)
    answered: set[int] = set()
    now = 0.0
    for step in range(STEPS_LIMIT):
        if not provider.remaining_bytes():
            return
        request = requester.submit(bytes(provider.PickValueInList([1, 600, 3_000])))
        if step % 7 == 0:
            requester.cancel(request)
        now += provider.PickValueInList([0.0, 0.05, 2.0])
        happening = requester.receive(record(provider, sealer), now)
        if isinstance(happening, Answered):
            assert happening.request.number not in answered, "a request was answered twice"
            answered.add(happening.request.number or 0)
            assert len(happening.text) <= TEXT_LIMIT
        requester.due(now)
        requester.is_lost(now)
        assert sum(1 for request in requester.outstanding if request.sent) <= OPEN_LIMIT


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    provider = atheris.FuzzedDataProvider(data)
    if provider.ConsumeBool():
        to_device(provider)
    else:
        to_pc(provider)


if __name__ == "__main__":
    # Long cases from the start: short ones end before anything happens.
    atheris.Setup([sys.argv[0], "-len_control=0", "-max_len=150", *sys.argv[1:]], test_one_input)
    atheris.Fuzz()
