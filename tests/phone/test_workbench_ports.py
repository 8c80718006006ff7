"""Real ports under the workbench: they close and come back, by cable, TCP and radio."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from bumble.transport import open_transport

from fob_device.ports.ble.station import static_address
from fob_device.state import open_phone
from support.bench_program import DEVICE, OK, command, done, greeting, read, report, terminal, until
from support.ble_world import greet, pair_over
from support.central import central
from support.ready_program import PATIENCE, Program, running


def test_a_pseudo_terminal_that_is_dropped_hangs_up_and_another_one_is_there(phone: Path, line: Path) -> None:
    with terminal(line) as computer:
        assert greeting(computer) == OK
        was = line.readlink()
        assert done(phone, "drop") == "lines that hung up: 1\n"
        assert read(computer) == b""
        until(line.exists)
        with terminal(line) as again:
            assert line.readlink() != was
            assert greeting(again) == OK


def test_a_pseudo_terminal_out_of_reach_is_not_there(phone: Path, line: Path) -> None:
    with terminal(line) as computer:
        assert greeting(computer) == OK
        done(phone, "away", "0.5")
        assert read(computer) == b""
        assert not os.path.lexists(line)
    done(phone, "wait", "10")
    with terminal(line) as computer:
        assert greeting(computer) == OK


def test_a_phone_without_power_says_so_and_is_on_again(phone: Path, tmp_path: Path) -> None:
    line = tmp_path / "line"
    program = Program(*command(phone, f"pty:{line}"))
    with terminal(line) as computer:
        assert greeting(computer) == OK
        done(phone, "power", "0.3")
        assert read(computer) == b""
    done(phone, "wait", "10")
    with terminal(line) as computer:
        assert greeting(computer) == OK
    assert program.stop() == 0
    is_on = f"phone 'Fob phone' is on: pty:{line}"
    assert program.words.splitlines() == [is_on, "the phone is off", is_on]


def test_a_tcp_port_closes_and_comes_back(phone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = free.getsockname()
    with running(*command(phone, f"tcp:127.0.0.1:{place[1]}")):
        for verb in (("drop",), ("away", "0.3"), ("power", "0.3")):
            with socket.create_connection(place, PATIENCE) as computer:
                assert greeting(computer.fileno()) == OK
                done(phone, *verb)
                assert read(computer.fileno()) == b""
            if verb != ("drop",):
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(place, PATIENCE)
            done(phone, "wait", "10")


def test_a_phone_that_is_stopped_lets_its_tcp_computers_go(phone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = free.getsockname()
    program = Program(*command(phone, f"tcp:127.0.0.1:{place[1]}"))
    with socket.create_connection(place, PATIENCE) as computer:
        assert greeting(computer.fileno()) == OK
        assert program.stop() == 0
        assert read(computer.fileno()) == b""


def test_a_port_that_was_taken_meanwhile_ends_the_phone_in_three_lines(phone: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = free.getsockname()
    url = f"tcp:127.0.0.1:{place[1]}"
    program = Program(*command(phone, url))
    done(phone, "away", "0.5")
    until(lambda: not report(phone)["ports"][0]["is_open"])
    with socket.create_server(place):
        program._process.wait(PATIENCE)
    assert program._end() == 1
    assert program.words.splitlines()[-3] == f"error: the phone cannot be reached by {url}"


@pytest.mark.clause("P7")
async def test_computers_by_radio(phone: Path, tmp_path: Path) -> None:
    """One is dropped and the other stays; out of reach both are, without a word."""
    hosts = tmp_path / "hosts"
    memory = open_phone(phone)
    address = static_address(memory.identity.public)
    memory.close()
    url = f"ble:unix-client:{hosts}"
    with contextlib.ExitStack() as stack:
        await asyncio.to_thread(
            stack.enter_context, running(DEVICE, "radio", f"--listen=unix:{hosts}", "--interval=7.5")
        )
        await asyncio.to_thread(stack.enter_context, running(*command(phone, url)))
        async with (
            central(await open_transport(f"unix-client:{hosts}"), "C0:00:00:00:00:01") as one,
            central(await open_transport(f"unix-client:{hosts}"), "C0:00:00:00:00:02") as other,
        ):
            for seed, pc in enumerate((one, other), 1):
                await pc.connect(address)
                await pc.bond()
                await pc.subscribe()
                await pair_over(pc, seed)
            first, second = [line["number"] for line in (await told(phone))["lines"]]
            await asyncio.to_thread(done, phone, "drop", "--port", url, "--line", str(first))
            await one.gone()
            assert [line["number"] for line in (await told(phone))["lines"]] == [second]
            assert other.is_connected

            await asyncio.to_thread(done, phone, "away", "1")
            assert [line["number"] for line in (await told(phone))["lines"]] == [None]
            assert other.is_connected, "no goodbye: it finds out by itself"
            await other.gone()
            await asyncio.to_thread(done, phone, "wait", "10")
            await other.connect(address)
            await other.encrypt()
            await other.subscribe()
            assert await greet(other) == OK


async def told(phone: Path) -> dict[str, Any]:
    return await asyncio.to_thread(report, phone)
