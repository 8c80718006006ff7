"""What the phone's port on the air opens to whom (protocol, section 8): to a stranger nothing, to nobody all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bumble import att, smp
from bumble.core import UUID
from bumble.pairing import PairingConfig, PairingDelegate

from fob_protocol.link.gatt import TO_DEVICE_UUID, TO_PC_UUID
from support.ble_scene import Scene, Tell, refusal
from support.ble_world import NAME, OK
from support.central import CONFIGURATION, Central

pytestmark = pytest.mark.clause("P7")

ATTRIBUTES = ("to device", "to pc", "configuration")


@asynccontextmanager
async def stranger(scene: Scene) -> AsyncIterator[Central]:
    """A computer that connects and never bonds."""
    async with scene.phone_and_computer() as pc:
        yield pc


@asynccontextmanager
async def just_works(scene: Scene) -> AsyncIterator[Central]:
    """A computer that has tried to bond without anybody's looking, and stayed."""
    async with scene.phone_and_computer() as pc:
        pc.use(PairingConfig(mitm=False, delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT)))
        assert await refusal(pc.bond()) == smp.ErrorCode.AUTHENTICATION_REQUIREMENTS
        yield pc


@pytest.mark.parametrize("who", [stranger, just_works])
@pytest.mark.parametrize("name", ATTRIBUTES)
def test_without_a_good_key_nothing_is_read_or_written(tell: Tell, who: Any, name: str) -> None:
    async def story(scene: Scene) -> None:
        async with who(scene) as pc:
            handle = pc.handle(name)
            for value in (b"\1\0", b"AT\r", b""):
                assert await refusal(pc.write(handle, value)) == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR
            assert await refusal(pc.read(handle)) == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR

    tell(story)


@pytest.mark.parametrize("who", [stranger, just_works])
def test_blind_writes_begin_no_line(tell: Tell, who: Any) -> None:
    async def story(scene: Scene) -> None:
        async with who(scene) as pc:
            before = scene.radio.counters_of(NAME).copy()
            for name in ATTRIBUTES:
                for value in (b"\1\0", b"AT\r"):
                    await pc.write(pc.handle(name), value, response=False)
            await pc.write(pc.handle("configuration"), b"\1\0", response=False)
            await pc.send(b"AT\r")
            await asyncio.sleep(1)
            assert pc.values == []
            # The phone has not said anything at all.
            assert (scene.radio.counters_of(NAME) - before).to_central.packets == 0

    tell(story)


@pytest.mark.parametrize("who", [stranger, just_works])
def test_the_rarer_ways_to_read_and_write_are_closed_too(tell: Tell, who: Any) -> None:
    async def story(scene: Scene) -> None:
        async with who(scene) as pc:
            heard: list[att.ATT_PDU] = []
            pc.connection.gatt_client.on_gatt_pdu = heard.append  # raw answers
            handles = [pc.handle(name) for name in ATTRIBUTES]
            for handle in handles:
                prepare = att.ATT_Prepare_Write_Request(
                    attribute_handle=handle, value_offset=0, part_attribute_value=b"\1\0"
                )
                assert isinstance(await answered(pc, heard, prepare), att.ATT_Prepare_Write_Response)
                for request in (
                    att.ATT_Execute_Write_Request(flags=1),
                    att.ATT_Read_Blob_Request(attribute_handle=handle, value_offset=0),
                ):
                    assert_closed(await answered(pc, heard, request))
            for uuid in (UUID(TO_DEVICE_UUID), UUID(TO_PC_UUID), CONFIGURATION):
                by_type = att.ATT_Read_By_Type_Request(starting_handle=1, ending_handle=0xFFFF, attribute_type=uuid)
                assert_closed(await answered(pc, heard, by_type))
            # The stack answers these not at all when one of the values may not be read.
            for several in (
                att.ATT_Read_Multiple_Request(set_of_handles=handles),
                att.ATT_Read_Multiple_Variable_Request(set_of_handles=handles),
            ):
                heard.clear()
                pc.connection.send_l2cap_pdu(att.ATT_CID, bytes(several))
                await asyncio.sleep(1)
                assert heard == []

    tell(story)


def assert_closed(answer: att.ATT_PDU) -> None:
    """It says that the key is not good enough."""
    assert isinstance(answer, att.ATT_Error_Response)
    assert answer.error_code == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR


async def answered(pc: Central, heard: list[att.ATT_PDU], request: att.ATT_PDU) -> att.ATT_PDU:
    """The one answer to a request."""
    heard.clear()
    pc.connection.send_l2cap_pdu(att.ATT_CID, bytes(request))
    await asyncio.sleep(0.1)
    [answer] = heard
    return answer


def test_a_good_key_opens_only_what_the_table_says(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            for name in ("to device", "to pc"):
                assert await refusal(pc.read(pc.handle(name))) == att.ATT_READ_NOT_PERMITTED_ERROR
            assert await refusal(pc.write(pc.handle("to pc"), b"x")) == att.ATT_WRITE_NOT_PERMITTED_ERROR
            for value in (b"", b"\1", b"\2\0", b"\3\0", b"\1\0\0"):
                assert await refusal(pc.write(pc.handle("configuration"), value)) == 0xFD
            assert await pc.read(pc.handle("configuration")) == b"\0\0"

    tell(story)


@pytest.mark.parametrize("is_bonded", [False, True])
def test_nobody_rewrites_what_the_phone_offers(tell: Tell, is_bonded: bool) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            if is_bonded:
                await pc.bond()
            ours = {pc.handle(name) for name in ATTRIBUTES}
            for handle in set(range(1, 16)) - ours:
                assert await refusal(pc.write(handle, b"evil")) is not None
                await pc.write(handle, b"evil", response=False)
            await pc.disconnect()
            # Whoever comes next finds the same service, and can use it.
            await scene.bonded_line(pc)
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)

    tell(story)
