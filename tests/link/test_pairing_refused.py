"""A person who does not want to pair, or sees another code: `fob pair` ends with 5, by cable and by radio."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import Compare
from fob_daemon.device.pairing import OPEN_FIRST, PairingDesk
from fob_daemon.device.registry import Registry
from fob_daemon.link.lines import Lines
from fob_daemon.link.transport import Line, LineUrl
from fob_device.approval.rules import Rules
from fob_protocol.limits import PAIRING_CLOSED_FOR, PAIRING_TRIES
from fob_protocol.noise.keys import KeyPair
from support.medium import Medium
from support.virtual_loop import run_virtually
from support.world import World

pytestmark = pytest.mark.clause("P7")


class MediumLines(Lines):
    """Lines that are all one medium."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        return await self._medium.open_to_pair(url, on_data)


class SaysNo(Rules):
    """Holds pairing open, and finds that the codes differ."""

    async def compare(self, code: str) -> bool:
        return False


async def equal(code: str, device: str, serial: str) -> bool:
    return True


async def differs(code: str, device: str, serial: str) -> bool:
    return False


async def refusal(world: World, folder: Path, compare: Compare = equal) -> ControlError:
    registry = Registry.load(folder / "devices.json")
    desk = PairingDesk(KeyPair.generate(world.random.randbytes), registry, "me@pc", MediumLines(world.cable))
    with pytest.raises(ControlError) as caught:
        await desk.pair(world.cable.url, None, compare, lambda words: None)
    again = f"fob pair {world.cable.url.text}"
    is_closed = any(words in caught.value.why for words in ("pairing is closed", "is pairing open there?"))
    assert caught.value.next_command == (OPEN_FIRST if is_closed else "") + again
    assert registry.devices == {}
    return caught.value


@pytest.mark.parametrize("person", [Rules(pairing="refuse"), SaysNo()], ids=["does not pair", "sees another code"])
def test_the_person_on_the_phone(tmp_path: Path, medium: Medium, person: Rules) -> None:
    async def story() -> None:
        world = World(tmp_path, 1, person, medium)
        error = await refusal(world, tmp_path)
        assert (error.what, error.exit_code) == ("not paired", ExitCode.REJECTED)
        assert error.next_command.startswith(OPEN_FIRST) is not person.pairing_open
        await world.close()

    run_virtually(story())


def test_the_phone_after_too_many_pairings_that_failed(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = World(tmp_path, 1, Rules(), medium)
        for _ in range(PAIRING_TRIES + 1):
            error = await refusal(world, tmp_path, differs)
            assert (error.what, error.exit_code) == ("not paired", ExitCode.REJECTED)
        assert error.why.endswith("After five tries in a row it is closed for a minute")
        assert (PAIRING_TRIES, PAIRING_CLOSED_FOR) == (5, 60)
        await world.close()

    run_virtually(story())
