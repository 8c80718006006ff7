"""A line over TCP, by uvloop's loop (the daemon's where it is installed) and by asyncio's own."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from fob_daemon.link.begin import begin_session
from fob_daemon.link.data_line import open_data_line
from fob_daemon.link.transport import LineUrl, open_line
from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.tcp import serve_tcp
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, decode_answer
from fob_protocol.at.command import encode_command
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.requester import Counters
from support.world import World

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
LONGEST = 8.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def ask_for_mechanisms(folder: Path) -> Answer:
    """Pair over a cable in memory, then open a session over TCP and ask in it; give its answer."""
    world = await World.paired(folder, 1)
    await world.disconnect()
    port, opened = free_port(), asyncio.Event()
    serving = asyncio.create_task(serve_tcp("127.0.0.1", port, PhoneLines(world.phone), opened.set))
    await opened.wait()
    data_line = await open_data_line(LineUrl.parse(f"tcp:127.0.0.1:{port}"), open_line, lambda pace: None)
    keys = world._identity, world._device_key, world.random.randbytes
    session = await begin_session(data_line, *keys, on_event=lambda event: None, counters=Counters())
    answer = await session.request(encode_command(catalogue.GET_MECHANISMS.build()))
    session.end()
    data_line.line.close()
    await data_line.line.lost.wait()
    serving.cancel()
    await asyncio.wait([serving])
    await world.close()
    return decode_answer(answer)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_session_over_tcp(tmp_path: Path, loop: str) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        answer = runner.run(asyncio.wait_for(ask_for_mechanisms(tmp_path), LONGEST))
    assert answer.ckr == Ckr.OK
    assert answer.lines
