"""Handshakes with somebody who sends anything: refused by ProtocolError, never paired, never a session."""

import random
import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.errors import ProtocolError
    from fob_protocol.link.frames import Frame, Kind
    from fob_protocol.noise.keys import KeyPair
    from fob_protocol.pairing.confirmation import seal_step
    from fob_protocol.pairing.device import DevicePairing, DeviceState
    from fob_protocol.pairing.pc import PcPairing, PcState
    from fob_protocol.session.handshake import Greeting, SessionInitiator, accept_session

OCTETS = random.Random(1).randbytes
PC, DEVICE = KeyPair.generate(OCTETS), KeyPair.generate(OCTETS)
GREETING = Greeting(bytes(8), bytes(8), 1, 0)
STEPS_LIMIT = 12


def converse(provider: atheris.FuzzedDataProvider, device: DevicePairing, pc: PcPairing) -> None:
    """A mix of right frames, of changed ones and of made-up ones, to both sides."""
    to_device: Frame | None = pc.start()
    to_pc: Frame | None = None
    for _ in range(STEPS_LIMIT):
        to_pc = device.receive(spoiled(provider, to_device)) or to_pc
        to_device = pc.receive(spoiled(provider, to_pc)) or to_device
        if pc.state is PcState.COMPARING and provider.ConsumeBool():
            to_device = pc.confirm(provider.ConsumeBool(), "desk")
        if provider.ConsumeBool():
            to_pc = device.decide(provider.ConsumeBool()) or to_pc


def spoiled(provider: atheris.FuzzedDataProvider, frame: Frame | None) -> Frame:
    """The frame that was due, or another."""
    if frame is not None and provider.ConsumeIntInRange(0, 3):
        return frame
    step = provider.ConsumeIntInRange(0, 7)
    body = provider.ConsumeBytes(provider.ConsumeIntInRange(0, 200))
    return Frame(Kind.PAIR, (step,), body)


def confirm_with(step: int, data: bytes) -> None:
    """A paired peer whose sealed text is anything."""
    device = DevicePairing(DEVICE, b"(1)", 1, OCTETS, name="phone", serial="1")
    pc = PcPairing(PC, b"(1)", 1, OCTETS)
    offer = device.receive(pc.start())
    reveal = pc.receive(offer) if offer else None
    introduction = device.receive(reveal) if reveal else None
    assert introduction is not None
    pc.receive(introduction)
    pc.confirm(True, "desk")
    try:
        if step == 5:
            device.receive(seal_step(pc._send_key, 5, data))
        else:
            pc.receive(seal_step(device._send_key, 6, data))
    except ProtocolError:
        return
    assert device.state is not DeviceState.PAIRED
    assert pc.state is not PcState.PAIRED or data == b"1"


def open_session(data: bytes) -> None:
    """Both sides of a session handshake with a stranger."""
    try:
        accepted = accept_session(
            Frame(Kind.HANDSHAKE, (1,), data),
            DEVICE,
            b"(1)",
            1,
            is_paired=lambda _: True,
            greeting=GREETING,
            random=OCTETS,
        )
    except ProtocolError:
        accepted = None
    assert accepted is None
    initiator = SessionInitiator(PC, DEVICE.public, b"(1)", 1, OCTETS)
    initiator.start()
    try:
        initiator.finish(Frame(Kind.HANDSHAKE, (2,), data))
    except ProtocolError:
        return
    raise AssertionError("a stranger finished a handshake")


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer."""
    device = DevicePairing(DEVICE, b"(1)", 1, OCTETS, name="phone", serial="1")
    pc = PcPairing(PC, b"(1)", 1, OCTETS)
    try:
        converse(atheris.FuzzedDataProvider(data), device, pc)
    except ProtocolError:
        assert DeviceState.FAILED is device.state or PcState.FAILED is pc.state
    if device.state is DeviceState.PAIRED:
        assert (pc.code, device.pc_key) == (device.code, PC.public)
    confirm_with(5 + len(data) % 2, data)
    open_session(data)


if __name__ == "__main__":
    # Long cases from the start: short ones end before anything happens.
    atheris.Setup([sys.argv[0], "-len_control=0", "-max_len=400", *sys.argv[1:]], test_one_input)
    atheris.Fuzz()
