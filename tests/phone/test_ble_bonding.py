"""The bonds of the phone's port on the air (protocol, section 8): how one is made, and how long it lasts."""

import asyncio

import pytest
from bumble import att, hci, smp
from bumble.pairing import PairingConfig, PairingDelegate

from fob_protocol import catalogue
from support.ble_scene import Scene, Tell, refusal
from support.ble_world import ask, greet, on_the_air, session_over

pytestmark = pytest.mark.clause("P7")

YES_NO = PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT


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
