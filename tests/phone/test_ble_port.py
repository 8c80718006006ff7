"""The phone's port on the air (protocol, section 8): the line it carries, and who gets none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bumble import att, hci, smp
from bumble.core import UUID, ProtocolError
from bumble.pairing import PairingConfig, PairingDelegate

from fob_device.bonds import Bond
from fob_device.ports.ble import outgoing
from fob_device.ports.ble.station import static_address
from fob_device.radio.radio import Radio
from fob_protocol import catalogue
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.gatt import CONNECTIONS_LIMIT, PROVING_TIME, TO_DEVICE_UUID, TO_PC_UUID
from support.ble_world import NAME, OK, Handset, ask, greet, on_the_air, pair_over, session_over
from support.central import CONFIGURATION, Central, central
from support.virtual_loop import run_virtually

pytestmark = pytest.mark.clause("P7")

ATTRIBUTES = ("to device", "to pc", "configuration")
YES_NO = PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT


class Scene:
    """A phone, the air, and computers that are switched on when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.radio = Radio(seed=1)
        self.handset = Handset(folder)
        self.address = static_address(self.handset.phone.identity.public)

    @asynccontextmanager
    async def computer(self, number: int = 1) -> AsyncIterator[Central]:
        """A computer; its number makes its address."""
        name = f"pc {number}"
        async with central(self.radio.attach(name), f"C0:00:00:00:00:{number:02X}") as pc:
            yield pc

    @asynccontextmanager
    async def phone_and_computer(self) -> AsyncIterator[Central]:
        """Both on, and connected."""
        async with on_the_air(self.handset.phone, self.radio), self.computer() as pc:
            await pc.connect(self.address)
            yield pc

    async def bonded_line(self, pc: Central) -> None:
        """Connect, bond and subscribe; nothing of section 5."""
        await pc.connect(self.address)
        await pc.bond()
        await pc.subscribe()

    async def paired(self, pc: Central, seed: int = 1) -> bytes:
        """All of it; the computer's static key. It stays connected."""
        await self.bonded_line(pc)
        return await pair_over(pc, seed)

    @property
    def bonds(self) -> list[Bond]:
        """What the phone has stored."""
        return self.handset.phone.bonds.all()


Story = Callable[[Scene], Coroutine[Any, Any, None]]
Tell = Callable[[Story], None]


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Runs a story in virtual time, on a new phone."""

    async def whole(story: Story) -> None:
        scene = Scene(tmp_path)
        try:
            await story(scene)
        finally:
            scene.handset.switch_off()

    return lambda story: run_virtually(whole(story))


async def refusal(attempt: Awaitable[object]) -> int | None:
    """The error code of ATT, SMP or HCI that an attempt ends with, None when it succeeds."""
    try:
        await attempt
    except ProtocolError as error:
        return error.error_code
    return None


# The line.


@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
def test_a_line_at_every_mtu(tell: Tell, mtu: int) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await pc.connect(scene.address, mtu=mtu)
            await pc.bond()
            await pc.subscribe()
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)
            pc.values.clear()
            await pc.send(b"AT+CLAC\r")
            answer = await pc.receive_until(OK)
            assert answer.startswith(b"\r\nAT,+FOBOPEN,")
            assert b"".join(pc.values) == answer
            # Every value is as full as it may be, but the last.
            assert {len(value) for value in pc.values[:-1]} <= {min(mtu - 3, 512)}
            assert len(pc.values) == -(-len(answer) // min(mtu - 3, 512))
            # Frames of the pairing are longer than the small ones and go in pieces, both ways.
            await pair_over(pc)

    tell(story)


def test_an_mtu_above_the_offer_is_cut_and_a_value_never_has_more_than_512(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await pc.connect(scene.address, mtu=600)
            assert pc.connection.att_mtu == 517
            await pc.bond()
            await pc.subscribe()
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)
            too_long = b"x" * 511 + b"\rAT\r"
            code = await refusal(pc.write(pc.handle("to device"), too_long[:513]))
            assert code == att.ATT_INVALID_ATTRIBUTE_LENGTH_ERROR
            assert len(pc.received) == 0
            await pc.send(b" " * 510 + b"AT")
            await pc.send(b"\r")
            assert await pc.receive_until(OK) == b"\r\nOK\r\n"

    tell(story)


def test_a_command_and_its_answer_cost_one_event_each_way(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.subscribe()
            for _ in range(5):
                before = scene.radio.counters_of(NAME).copy()
                assert await greet(pc) == b"AT\r\r\nOK\r\n"
                crossed = scene.radio.counters_of(NAME) - before
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)

    tell(story)


def test_a_line_begins_and_ends_with_the_subscription(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.send(b"AT\r")
            configuration = pc.handle("configuration")
            assert await pc.read(configuration) == b"\0\0"
            await pc.subscribe()
            assert await pc.read(configuration) == b"\1\0"
            # What was written before went nowhere.
            await pc.send(b"ATE0\r")
            assert await pc.receive_until(OK) == b"ATE0\r\r\nOK\r\n"
            await pc.subscribe()
            await pc.send(b"AT\r")
            assert await pc.receive_until(OK) == b"\r\nOK\r\n"
            await pc.write(configuration, b"\0\0")
            await pc.send(b"AT\r")
            await pc.subscribe()
            # A new line: the echo is on again.
            assert await greet(pc) == b"AT\r\r\nOK\r\n"

    tell(story)


def test_each_connection_is_a_line_of_its_own(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with (
            on_the_air(scene.handset.phone, scene.radio),
            scene.computer(1) as first,
            scene.computer(2) as second,
        ):
            for pc in (first, second):
                await scene.bonded_line(pc)
            await first.send(b"ATE0\r")
            await first.receive_until(OK)
            assert await greet(second) == b"AT\r\r\nOK\r\n"
            assert await greet(first) == b"\r\nOK\r\n"

    tell(story)


def test_a_request_of_a_session_costs_one_event_each_way_too(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            session = await session_over(pc)
            for _ in range(5):
                before = scene.radio.counters_of(NAME).copy()
                await ask(session, catalogue.GENERATE_RANDOM.build(64))
                crossed = scene.radio.counters_of(NAME) - before
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)

    tell(story)


def test_a_computer_that_does_not_take_its_answers_is_disconnected(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "UNSENT_LIMIT", 100)

    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.subscribe()
            assert await greet(pc)
            await pc.send(b"AT+CLAC\r")
            await pc.gone()

    tell(story)


def test_a_computer_that_walks_away_blocks_no_other_ones_line(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with (
            on_the_air(scene.handset.phone, scene.radio),
            scene.computer(1) as first,
            scene.computer(2) as second,
        ):
            await first.connect(scene.address, mtu=247, supervision=5000)
            await first.bond()
            await first.subscribe()
            await scene.bonded_line(second)
            for _ in range(4):
                await first.send(20 * b"AT+CLAC\r")
            # The commands have arrived, the answers are on their way.
            await asyncio.sleep(0.031)
            scene.radio.set_distance("pc 1", 100)
            assert await greet(second) == b"AT\r\r\nOK\r\n"
            assert first.is_connected
            await first.gone()

    tell(story)


def test_what_the_stack_has_no_room_for_counts_as_unsent(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "UNSENT_LIMIT", 3000)

    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), AsyncExitStack() as stack:
            computers = [await stack.enter_async_context(scene.computer(number)) for number in range(1, 5)]
            for pc in computers:
                await pc.connect(scene.address, mtu=247, supervision=5000)
                await pc.bond()
                await pc.subscribe()
            *away, last = computers
            for pc in away:
                await pc.send(b"AT+CLAC\rAT+CLAC\r")
            await asyncio.sleep(0.031)
            for number in range(1, 4):
                scene.radio.set_distance(f"pc {number}", 100)
            # The controller's eight buffers are full of what nobody takes.
            for _ in range(10):
                await last.send(b"AT+CLAC\r")
            await last.gone()
            assert away[0].is_connected

    tell(story)


# Who gets none.


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


# Bonding.


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (PairingConfig(sc=False, delegate=PairingDelegate(YES_NO)), smp.ErrorCode.AUTHENTICATION_REQUIREMENTS),
        (PairingConfig(mitm=False, delegate=PairingDelegate(YES_NO)), smp.ErrorCode.AUTHENTICATION_REQUIREMENTS),
        (PairingConfig(bonding=False, delegate=PairingDelegate(YES_NO)), smp.ErrorCode.AUTHENTICATION_REQUIREMENTS),
        (PairingConfig(), smp.ErrorCode.AUTHENTICATION_REQUIREMENTS),
        (
            PairingConfig(delegate=PairingDelegate(PairingDelegate.KEYBOARD_INPUT_ONLY)),
            smp.ErrorCode.AUTHENTICATION_REQUIREMENTS,
        ),
        (
            PairingConfig(delegate=PairingDelegate(YES_NO, maximum_encryption_key_size=7)),
            smp.ErrorCode.ENCRYPTION_KEY_SIZE,
        ),
    ],
    ids=["legacy", "no man in the middle", "no bonding", "no display", "passkey", "short key"],
)
def test_anything_less_than_numeric_comparison_is_refused(tell: Tell, config: PairingConfig, code: int) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            pc.use(config)
            assert await refusal(pc.bond()) == code
            assert not pc.connection.is_encrypted
            assert await refusal(pc.subscribe()) == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR
            # It may try again, better.
            pc.use(PairingConfig(delegate=PairingDelegate(YES_NO)))
            await pc.bond()
            await pc.subscribe()

    tell(story)


def test_bonding_is_refused_while_pairing_is_closed(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            scene.handset.person.pairing_open = False
            assert await refusal(pc.bond()) == smp.ErrorCode.PAIRING_NOT_SUPPORTED
            scene.handset.person.pairing_open = True
            await pc.bond()

    tell(story)


def test_bonding_is_refused_after_too_many_failures(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            scene.handset.phone.pairing_tries.closed_until = 60.0
            assert await refusal(pc.bond()) == smp.ErrorCode.PAIRING_NOT_SUPPORTED
            await pc.disconnect()
            await asyncio.sleep(60)
            await scene.bonded_line(pc)

    tell(story)


def test_a_key_is_worth_nothing_before_the_bonding_is_done(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            failures: list[int] = []
            pc.connection.on(pc.connection.EVENT_CONNECTION_ENCRYPTION_FAILURE, failures.append)
            request = smp.SMP_Pairing_Request_Command(
                io_capability=smp.IoCapability.DISPLAY_YES_NO,
                oob_data_flag=0,
                auth_req=smp.AuthReq.BONDING | smp.AuthReq.MITM | smp.AuthReq.SC,
                maximum_encryption_key_size=16,
                initiator_key_distribution=smp.KeyDistribution(0),
                responder_key_distribution=smp.KeyDistribution(0),
            )
            pc.connection.send_l2cap_pdu(smp.SMP_CID, bytes(request))
            await asyncio.sleep(0.1)
            await pc.device.send_async_command(
                hci.HCI_LE_Enable_Encryption_Command(
                    connection_handle=pc.connection.handle,
                    random_number=bytes(8),
                    encrypted_diversifier=0,
                    long_term_key=bytes(16),
                )
            )
            await asyncio.sleep(0.1)
            assert failures == [hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR]

    tell(story)


def test_pairing_that_is_closed_in_the_middle_ends_the_bonding(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            # The first two messages have crossed by then.
            asyncio.get_running_loop().call_later(0.08, setattr, scene.handset.person, "pairing_open", False)
            assert await refusal(pc.bond()) == smp.ErrorCode.CONFIRM_VALUE_FAILED
            assert not pc.connection.is_encrypted

    tell(story)


def test_the_bond_of_a_paired_computer_stays_and_survives_a_restart(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.computer() as pc:
            async with on_the_air(scene.handset.phone, scene.radio):
                key = await scene.paired(pc)
                assert [bond.address for bond in scene.bonds] == [pc.address]
                assert scene.handset.phone.bonds.owner(pc.address) == key
                await pc.disconnect()
            scene.handset.restart()
            # Nobody may bond any more, and nobody has to.
            scene.handset.person.pairing_open = False
            loop = asyncio.get_running_loop()
            async with on_the_air(scene.handset.phone, scene.radio) as address:
                assert address == scene.address
                begin = loop.time()
                await pc.connect(address)
                assert await refusal(pc.subscribe()) == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR
                await pc.encrypt()
                await pc.subscribe()
                assert await greet(pc) == b"AT\r\r\nOK\r\n"
                assert loop.time() - begin < 1.0
                await asyncio.sleep(3600)
                assert await greet(pc)

    tell(story)


def test_a_hundred_reconnects_in_a_row(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.paired(pc)
            await asyncio.sleep(1)
            loop = asyncio.get_running_loop()
            tasks = len(asyncio.all_tasks())
            for _ in range(100):
                await pc.disconnect()
                begin = loop.time()
                await pc.connect(scene.address)
                await pc.encrypt()
                await pc.subscribe()
                assert await greet(pc)
                assert loop.time() - begin < 1.0
            assert len(asyncio.all_tasks()) == tasks

    tell(story)


def test_a_bond_whose_connection_ends_without_pairing_is_gone(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            assert await greet(pc)
            assert scene.bonds == []
            await pc.disconnect()
            await pc.connect(scene.address)
            assert await refusal(pc.encrypt()) == hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR
            assert await refusal(pc.subscribe()) == att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR

    tell(story)


def test_a_paired_computer_that_lost_its_bond_makes_a_new_one(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.paired(pc)
            [old] = scene.bonds
            await pc.disconnect()
            await pc.device.keystore.delete(scene.address)  # type: ignore[union-attr]  # it has one
            await scene.paired(pc)
            [new] = scene.bonds
            assert new.address == old.address
            assert new.ltk != old.ltk
            await pc.disconnect()
            await pc.connect(scene.address)
            await pc.encrypt()
            await pc.subscribe()

    tell(story)


def test_who_bonds_under_anothers_address_and_does_not_pair_takes_nothing_from_it(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio):
            async with scene.computer(1) as pc:
                await scene.paired(pc)
                await pc.disconnect()
                bonds, keys = scene.bonds, await pc.device.keystore.get_all()  # type: ignore[union-attr]
            async with scene.computer(1) as impostor:
                await scene.bonded_line(impostor)
                await impostor.disconnect()
            assert scene.bonds == bonds
            async with scene.computer(1) as pc:
                for address, key in keys:
                    await pc.device.keystore.update(address, key)  # type: ignore[union-attr]
                await pc.connect(scene.address)
                await pc.encrypt()

    tell(story)


def test_a_wrong_key_ends_the_connection(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.paired(pc)
            await pc.disconnect()
            [(address, keys)] = await pc.device.keystore.get_all()  # type: ignore[union-attr]
            assert keys.ltk is not None
            keys.ltk.value = bytes(16)
            await pc.device.keystore.update(address, keys)  # type: ignore[union-attr]
            await pc.connect(scene.address)
            with pytest.raises(asyncio.CancelledError):
                await pc.encrypt()
            assert not pc.is_connected
            assert len(scene.bonds) == 1

    tell(story)


def test_unpairing_deletes_the_bond_and_ends_the_connection(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            session = await session_over(pc)
            assert len(scene.bonds) == 1
            await ask(session, catalogue.UNPAIR.build())
            assert scene.bonds == []
            await pc.gone()
            await pc.connect(scene.address)
            assert await refusal(pc.encrypt()) == hci.HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR

    tell(story)


def test_a_computer_with_private_addresses_is_known_again(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            pc.device.irk = b"resolve this one"
            await scene.paired(pc)
            await pc.disconnect()
            pc.device.random_address = hci.Address.generate_private_address(pc.device.irk)
            await pc.device.send_sync_command(
                hci.HCI_LE_Set_Random_Address_Command(random_address=pc.device.random_address)
            )
            await pc.connect(scene.address)
            await pc.encrypt()
            await pc.subscribe()
            assert await greet(pc)

    tell(story)


# Room and time.


def test_there_is_room_for_four_and_then_no_advertising(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio):
            computers = [scene.computer(number) for number in range(1, CONNECTIONS_LIMIT + 2)]
            centrals = [await computer.__aenter__() for computer in computers]
            *inside, outside = centrals
            for pc in inside:
                await scene.bonded_line(pc)
            with pytest.raises(TimeoutError):
                await outside.scan(scene.address)
            for pc in inside:
                assert await greet(pc)
            await inside[1].disconnect()
            await scene.bonded_line(outside)
            assert await greet(outside)

    tell(story)


def test_a_stranger_holds_a_connection_for_half_a_minute(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await asyncio.sleep(PROVING_TIME - 2)
            assert pc.is_connected
            await pc.gone()

    tell(story)


def test_a_bonded_computer_that_does_not_pair_is_sent_away(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            await asyncio.sleep(PAIRING_TIME - 1)
            assert await greet(pc)
            await pc.gone()
            assert scene.bonds == []

    tell(story)


def test_switching_off_says_goodbye(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.computer() as pc:
            async with on_the_air(scene.handset.phone, scene.radio):
                await scene.paired(pc)
            assert not pc.is_connected

    tell(story)
