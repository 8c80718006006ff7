"""A PC and a device that pair, as a test drives them: frames are passed by hand."""

from fob_protocol.link.frames import Frame
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.device import DevicePairing
from fob_protocol.pairing.pc import PcPairing
from support.session import seeded

VERSIONS = b"(1)"
VERSION = 1


def pc_key(seed: int) -> bytes:
    """The static public key of `pc_side(seed)`."""
    return KeyPair.generate(seeded(2 * seed)).public


def device_key(seed: int) -> bytes:
    """The static public key of `device_side(seed)`."""
    return KeyPair.generate(seeded(2 * seed + 1)).public


def pc_side(seed: int, versions: bytes = VERSIONS) -> PcPairing:
    """A PC that begins to pair; its keys come from the seed."""
    random = seeded(2 * seed)
    return PcPairing(KeyPair.generate(random), versions, VERSION, random)


def device_side(seed: int, versions: bytes = VERSIONS) -> DevicePairing:
    """A device that waits for a pairing; its keys come from the seed."""
    random = seeded(2 * seed + 1)
    return DevicePairing(KeyPair.generate(random), versions, VERSION, random, name="Ann's phone", serial="F-0001")


def sent(frame: Frame | None) -> Frame:
    """A frame that has to be there."""
    assert frame is not None, "a frame was due"
    return frame


def up_to_comparison(pc: PcPairing, device: DevicePairing) -> tuple[Frame, Frame, Frame, Frame]:
    """Steps 1 to 4 between the two; the four frames."""
    commitment = pc.start()
    offer = sent(device.receive(commitment))
    reveal = sent(pc.receive(offer))
    introduction = sent(device.receive(reveal))
    assert pc.receive(introduction) is None
    return commitment, offer, reveal, introduction
