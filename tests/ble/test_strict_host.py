"""bumble's host under a controller that answers nonsense: what it ends in is never an error of the program's own."""

import asyncio
import random
import struct
from collections.abc import Callable

import pytest
from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import Device, DeviceConfiguration
from bumble.host import DataPacketQueue
from bumble.transport.common import StreamPacketSource, Transport

from fob_protocol.link.hci_host import DATA_LEAST, NO_HCI, ControllerLostError, StrictHost
from support.virtual_loop import run_virtually

pytestmark = pytest.mark.clause("P7")

# Whatever a command is answered with: nothing, or one event or several.
Answer = Callable[[bytes], bytes]


class Scripted:
    """A controller's end of a transport."""

    def __init__(self, answer: Answer) -> None:
        self.source = StreamPacketSource()
        self.host = StrictHost(Transport(self.source, self))
        self._answer = answer

    def on_packet(self, packet: bytes) -> None:
        """The host sent a packet."""
        opcode = packet[1:3]
        asyncio.get_running_loop().call_soon(self.source.data_received, self._answer(opcode))


def complete(opcode: bytes, parameters: bytes) -> bytes:
    """Command Complete."""
    return bytes((hci.HCI_EVENT_PACKET, hci.HCI_COMMAND_COMPLETE_EVENT, 3 + len(parameters), 1)) + opcode + parameters


def connected(handle: int) -> bytes:
    """LE Connection Complete: as a peripheral, with whomever."""
    event = struct.pack("<BBHBB6sHHHB", 1, 0, handle, 1, 1, bytes(range(6)), 24, 0, 72, 0)
    return bytes((hci.HCI_EVENT_PACKET, hci.HCI_LE_META_EVENT, len(event))) + event


def nonsense(seed: int) -> Answer:
    """Answers by the seed's chance: mostly to the right command, some as long as they should be, few of them sane."""
    chance = random.Random(seed)

    def answer(opcode: bytes) -> bytes:
        status = bytes([0 if chance.random() < 0.97 else chance.randrange(256)])
        match chance.randrange(10):
            case 0:
                return bytes((4, hci.HCI_COMMAND_STATUS_EVENT, 4, *status, 1)) + opcode
            case 1:
                event = chance.randbytes(chance.randrange(40))
                kind = chance.choice((chance.randrange(256), hci.HCI_LE_META_EVENT, hci.HCI_COMMAND_COMPLETE_EVENT))
                return bytes((4, kind, len(event))) + event
            case 2:
                return complete(opcode, status + chance.randbytes(chance.randrange(9)))
        return complete(opcode, status + (chance.randbytes(80) if chance.random() < 0.7 else b"\xff" * 80))

    return answer


async def use(answer: Answer) -> str:
    """Switch a controller on, advertise and scan; what came of it."""
    controller = Scripted(answer)
    device = Device(config=DeviceConfiguration(name="host"), host=controller.host)
    try:
        async with asyncio.timeout(10):
            await device.power_on()
            await device.start_advertising()
            await device.start_scanning()
    except (BaseBumbleError, TimeoutError) as error:
        return type(error).__name__
    return "of use"


def test_nonsense_ends_in_words_and_never_in_the_stacks_own_mistakes() -> None:
    endings = {seed: run_virtually(use(nonsense(seed))) for seed in range(200)}
    assert set(endings.values()) <= {"ControllerLostError", "HCI_Error", "TimeoutError", "of use"}
    assert {"ControllerLostError", "TimeoutError"} <= set(endings.values())


def test_an_answer_to_an_earlier_command_is_not_taken_for_this_ones() -> None:
    async def story() -> None:
        late = complete(struct.pack("<H", hci.HCI_READ_BD_ADDR_COMMAND), bytes(7))
        controller = Scripted(lambda opcode: late + complete(opcode, b"\0\x07\x01\x02\x03\x04\x05\x06\x07"))
        controller.host.ready = True
        version = await controller.host.send_sync_command(hci.HCI_Read_Local_Version_Information_Command())
        assert version.hci_version == 7

    run_virtually(story())


def test_a_controller_that_takes_no_data_is_none() -> None:
    async def story() -> None:
        commands = b"\xff" * 64
        buffers = (hci.HCI_LE_READ_BUFFER_SIZE_COMMAND, hci.HCI_READ_BUFFER_SIZE_COMMAND)
        empty = {struct.pack("<H", opcode) for opcode in (*buffers, hci.HCI_LE_READ_BUFFER_SIZE_V2_COMMAND)}
        controller = Scripted(lambda opcode: complete(opcode, b"\0" + (bytes(64) if opcode in empty else commands)))
        extended = struct.pack("<H", hci.HCI_READ_LOCAL_EXTENDED_FEATURES_COMMAND)
        answer = controller._answer
        controller._answer = lambda opcode: complete(opcode, bytes(64)) if opcode == extended else answer(opcode)
        with pytest.raises(ControllerLostError, match=NO_HCI):
            await controller.host.reset()

    run_virtually(story())


def test_a_handle_is_one_connections_at_a_time() -> None:
    async def story() -> None:
        controller = Scripted(lambda opcode: b"")
        controller.host.ready = True
        controller.host.le_acl_packet_queue = DataPacketQueue(DATA_LEAST, 1, controller.host.send_hci_packet)
        controller.source.data_received(connected(1) + connected(2))
        assert (controller.host.lost, len(controller.host.connections)) == ("", 2)
        controller.source.data_received(connected(2))
        assert controller.host.lost == NO_HCI
        assert controller.source.terminated.done()
        # It is heard no more, and no command waits for an answer.
        controller.source.data_received(connected(3))
        assert len(controller.host.connections) == 2
        with pytest.raises(ControllerLostError, match=NO_HCI):
            await controller.host.send_sync_command(hci.HCI_Reset_Command())

    run_virtually(story())
