"""The daemon's link by radio: real bleak and bleak-retry-connector on bumble's host, the real phone, timed air."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.link.ble.radio import FORGOTTEN_HERE, FORGOTTEN_THERE
from fob_daemon.link.keeper import State
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.transport import BondLostError
from fob_device.ports.ble.link import L2CAP_HEADER
from fob_device.radio.counters import Counters as AirCounters
from fob_device.radio.radio import INTERVAL
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.link.gatt import ATT_HEADER, BOND_LOST_PAUSE, MTU_OFFERED
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from support.radio_cable import PHONE, RadioCable
from support.virtual_loop import run_virtually
from support.world import World

INFO = catalogue.GET_TOKEN_INFO.build()
CLIENTS = 4
HEADERS = ATT_HEADER + L2CAP_HEADER


class RadioWorld:
    """A world on the air: `async with RadioWorld(tmp_path) as world`."""

    def __init__(self, folder: Path, *, mtu: int = MTU_OFFERED, loss: float = 0.0) -> None:
        self.cable = RadioCable(folder, mtu=mtu, loss=loss)
        self._folder = folder

    async def __aenter__(self) -> "RadioWorld":
        self.world = await World.paired(self._folder, 1, cable=self.cable)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.world.close()

    @property
    def manager(self) -> LinkManager:
        return self.world.manager

    async def sign(self, handle: int, mechanism: Ckm | None = None) -> Answer:
        return await self.manager.request(catalogue.SIGN.build(handle, mechanism, bytes(32)), timeout=30)

    async def key_of_two_digits(self, kind: str) -> tuple[int, Ckm | None]:
        """A key whose handle has two digits, and what it signs with unless that is understood."""
        handle = 0
        while handle < 10:
            handle = await (self.world.new_rsa_key() if kind == "RSA-2048" else self.world.new_key())
        return handle, Ckm.SHA256_RSA_PKCS if kind == "RSA-2048" else None

    def crossed(self) -> AirCounters:
        """What crossed the air since the phone was switched on."""
        return self.cable.air.counters_of(PHONE).copy()

    async def quiet(self) -> None:
        """Nothing is on its way any more, and it is no moment of a connection event."""
        await asyncio.sleep(0.1234)

    async def gone(self) -> None:
        await self.world.until(lambda: self.manager.greeting is None)

    async def back(self, seconds: float = 60.0) -> float:
        """Until there is a session again; the seconds that took."""
        began = asyncio.get_running_loop().time()
        await self.world.until(lambda: self.manager.greeting is not None, seconds)
        return asyncio.get_running_loop().time() - began


@pytest.mark.clause("P7")
def test_pair_list_and_sign(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            handle = await radio.world.new_key()
            assert (await radio.sign(handle)).ckr == Ckr.OK

    run_virtually(story())


@pytest.mark.clause("P7", "P9")
@pytest.mark.parametrize("mtu", [247, 517])
def test_a_signature_costs_two_connection_intervals(tmp_path: Path, mtu: int) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path, mtu=mtu) as radio:
            handle = await radio.world.new_key()
            loop = asyncio.get_running_loop()
            for _ in range(3):
                before = radio.cable.air.counters_of(PHONE).copy()
                began = loop.time()
                assert (await radio.sign(handle)).ckr == Ckr.OK
                after = radio.cable.air.counters_of(PHONE)
                assert (loop.time() - began) / INTERVAL <= 2 + 1e-6
                assert after.to_peripheral.packets - before.to_peripheral.packets == 1
                assert after.to_central.packets - before.to_central.packets == 1

    run_virtually(story())


@pytest.mark.clause("P7", "P9")
@pytest.mark.parametrize("mtu", [247, 517])
def test_four_clients_signatures_share_two_connection_events(tmp_path: Path, mtu: int) -> None:
    """Asked for together they cross together: 316 octets of requests and 380 of answers, two packets each."""

    async def story() -> None:
        async with RadioWorld(tmp_path, mtu=mtu) as radio:
            handle = await radio.world.new_key()
            loop = asyncio.get_running_loop()
            for _ in range(10):
                await radio.quiet()
                before, began = radio.crossed(), loop.time()
                answers = await asyncio.gather(*(radio.sign(handle) for _ in range(CLIENTS)))
                assert [answer.ckr for answer in answers] == [Ckr.OK] * CLIENTS
                assert (loop.time() - began) / INTERVAL <= 2 + 1e-6
                crossed = radio.crossed() - before
                assert (crossed.to_peripheral.packets, crossed.to_central.packets) == (2, 2)
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)
                assert radio.manager.counters.sent_again == 0

    run_virtually(story())


@pytest.mark.clause("P7", "P9")
@pytest.mark.parametrize("mtu", [247, 517])
def test_four_clients_that_sign_on_and_on_wait_two_intervals_each_time(tmp_path: Path, mtu: int) -> None:
    """Whoever asks in whatever moment: one packet there, at most one back, and the answer after two intervals."""

    async def story() -> None:
        async with RadioWorld(tmp_path, mtu=mtu) as radio:
            handle = await radio.world.new_key()
            loop, times = asyncio.get_running_loop(), []

            async def client(pause: float) -> None:
                for _ in range(25):
                    await asyncio.sleep(pause)
                    began = loop.time()
                    assert (await radio.sign(handle)).ckr == Ckr.OK
                    times.append(loop.time() - began)

            await radio.quiet()
            before = radio.crossed()
            await asyncio.gather(*(client(pause) for pause in (0.0, 0.007, 0.019, 0.041)))
            crossed = radio.crossed() - before
            assert len(times) == crossed.to_peripheral.packets == 100 >= crossed.to_central.packets
            assert max(times) / INTERVAL <= 2 + 1e-6
            assert (crossed.to_peripheral.lost, radio.manager.counters.sent_again) == (0, 0)

    run_virtually(story())


# The answer of RSA-2048 is one octet shorter when no zero stands in its first 254 (COBS).
P256_OCTETS = (73, {95})
RSA2048_OCTETS = (75, {288, 289})


@pytest.mark.clause("P7", "P9")
@pytest.mark.parametrize(
    ("kind", "mtu", "octets", "values"),
    [
        ("P-256", 247, P256_OCTETS, 1),
        ("P-256", 517, P256_OCTETS, 1),
        ("RSA-2048", 247, RSA2048_OCTETS, 2),
        ("RSA-2048", 517, RSA2048_OCTETS, 1),
    ],
)
def test_the_octets_of_a_signature_on_the_air(
    tmp_path: Path, kind: str, mtu: int, octets: tuple[int, set[int]], values: int
) -> None:
    """The frames of tests/protocol/test_signature_octets.py, with ATT's header before each value and L2CAP's."""
    request, answers = octets

    async def story() -> None:
        async with RadioWorld(tmp_path, mtu=mtu) as radio:
            handle, mechanism = await radio.key_of_two_digits(kind)
            for _ in range(20):
                await radio.quiet()
                before = radio.crossed()
                assert (await radio.sign(handle, mechanism)).ckr == Ckr.OK
                crossed = radio.crossed() - before
                assert crossed.to_peripheral.octets == request + HEADERS
                assert crossed.to_central.octets - values * HEADERS in answers
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)

    run_virtually(story())


@pytest.mark.clause("P7")
@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
def test_every_mtu_carries_short_and_long_texts(tmp_path: Path, mtu: int) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path, mtu=mtu) as radio:
            handle = await radio.world.new_key()
            assert (await radio.sign(handle)).ckr == Ckr.OK
            # 2,000 octets come in parts.
            answer = await radio.manager.request(catalogue.GENERATE_RANDOM.build(2000), timeout=30)
            answer.raise_for_ckr()
            [[octets]] = answer.lines
            assert isinstance(octets, bytes)
            assert len(octets) == 2000
            assert radio.manager.counters.sent_again == 0

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_hundred_reconnects_in_a_row(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            for count in range(100):
                radio.cable.hang_up()
                await radio.gone()
                assert await radio.back() < 2.0, count
            assert (await radio.manager.request(INFO, timeout=30)).ckr == Ckr.OK
            assert radio.manager.connects == 101

    run_virtually(story())
    assert not caplog.records, "neither stack stumbled over the end of a connection"


@pytest.mark.clause("P7")
def test_out_of_range_for_a_minute(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            radio.cable.unplug()
            await asyncio.sleep(60)
            assert radio.manager.state is State.AWAY
            assert radio.manager.why == "the device is not near, or its Bluetooth is off"
            radio.cable.plug_in()
            # One pause between tries, and the time to connect.
            assert await radio.back() < 5.0
            assert (await radio.manager.request(INFO, timeout=30)).ckr == Ckr.OK

    run_virtually(story())


@pytest.mark.clause("P7")
def test_the_phone_is_killed_and_comes_back_bonded(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            radio.world.restart_phone()
            await radio.gone()
            assert await radio.back() < 5.0

    run_virtually(story())


@pytest.mark.clause("P7")
def test_the_daemon_is_started_again_and_knows_its_bond(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            await radio.world.disconnect()
            await radio.cable.radio.close()
            radio.cable.radio = radio.cable.new_radio()
            line = await radio.cable.open(radio.cable.url, lambda octets: None)
            line.close()
            assert (radio.cable.bonds.stat().st_mode & 0o777) == 0o600

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_bond_that_the_phone_lost_is_told_and_healed_by_pairing(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            # The phone's person unpairs this PC while it is away.
            radio.cable.unplug()
            await radio.gone()
            radio.world.forget_pc()
            radio.cable.plug_in()
            await radio.world.until(lambda: radio.manager.state is State.REFUSED)
            assert (radio.manager.why, radio.manager.remedy) == (FORGOTTEN_THERE, f"fob pair {radio.cable.url.text}")
            opened = radio.cable.lines_opened
            await asyncio.sleep(BOND_LOST_PAUSE * 2.5)
            assert (radio.manager.state, radio.cable.lines_opened) == (State.REFUSED, opened)

            await radio.world.pair()
            radio.manager.try_now()
            assert await radio.back() < 5.0

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_bond_that_this_computer_lost_is_told_without_asking_the_phone(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            await radio.world.disconnect()
            await radio.cable.radio.forget(radio.cable.url.path)
            before = radio.cable.air.counters_of(PHONE).copy()
            with pytest.raises(BondLostError) as caught:
                await radio.cable.open(radio.cable.url, lambda octets: None)
            assert caught.value.why == FORGOTTEN_HERE
            assert caught.value.remedy == f"fob pair {radio.cable.url.text}"
            assert radio.cable.air.counters_of(PHONE) == before

            await radio.world.pair()
            line = await radio.cable.open(radio.cable.url, lambda octets: None)
            line.close()

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_another_device_with_a_bond_of_its_own_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path) as radio:
            # The registry knows another key for this address.
            phone, other = radio.world.phone, KeyPair.generate(radio.world.random.randbytes)
            phone.memory = replace(phone.memory, identity=other)
            radio.cable.hang_up()
            await radio.world.until(lambda: radio.manager.state is State.REFUSED)
            assert radio.manager.greeting is None

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_lossy_air_costs_time_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with RadioWorld(tmp_path, loss=0.2) as radio:
            handle = await radio.world.new_key()
            for _ in range(20):
                assert (await radio.sign(handle)).ckr == Ckr.OK

    run_virtually(story())
