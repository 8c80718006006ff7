"""A line that changes its state in the middle of what arrives: no octet counts in the wrong state."""

from pathlib import Path

from fob_device.line.device_line import DeviceLine
from fob_protocol.link.frames import DELIMITER, LEAVE, NO_CARRIER
from support.virtual_loop import run_virtually
from support.world import World

OPEN = b"ATE0+FOBOPEN=1\r"
CONNECT = b"\r\nCONNECT\r\n"
# What stands before the zero that closes LEAVE may be a frame of its own, and is none.
RUBBISH = DELIMITER + b"\x05rubbish" + DELIMITER
OK = b"\r\nOK\r\n"


def heard(tmp_path: Path, *conversations: list[bytes]) -> list[bytes]:
    """What a phone answers to octets that arrive in these chunks, each conversation on a line of its own."""
    answers = [bytearray() for _ in conversations]

    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        for chunks, answer in zip(conversations, answers, strict=True):
            line = DeviceLine(world.phone, answer.extend)
            for chunk in chunks:
                line.data_received(chunk)
        await world.close()

    run_virtually(story())
    return [bytes(answer) for answer in answers]


ONCE = OPEN + RUBBISH + LEAVE.to_bytes() + b"AT\r" + OPEN + LEAVE.to_bytes() + DELIMITER + b"AT\r"


def test_all_in_one_piece_or_octet_by_octet_is_the_same(tmp_path: Path) -> None:
    pieces = [[ONCE[start : start + size] for start in range(0, len(ONCE), size)] for size in (1, 2, 7, len(ONCE))]
    assert len(set(heard(tmp_path, *pieces))) == 1


def test_a_command_behind_leave_is_answered(tmp_path: Path) -> None:
    (answer,) = heard(tmp_path, [OPEN + LEAVE.to_bytes() + b"ATE0\r"])
    assert answer.endswith(CONNECT + NO_CARRIER + b"ATE0\r" + OK)
