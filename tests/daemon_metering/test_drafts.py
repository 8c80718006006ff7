"""A batch is written, and begun to be franked, by one program at a time: none loses its own to another one."""

import os
from collections.abc import Iterator
from subprocess import Popen

import pytest

from daemon_metering.bench import ZSH, Bench, letters
from fob_daemon.control.errors import BUSY_STATUS, ControlError
from fob_daemon.metering.drafts import IDLE_TIME, OWN_IDLE_TIME, Drafts, Writer
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

FIRST = Writer.of("fob", os.getpid())


@pytest.fixture
def second() -> Iterator[Popen[bytes]]:
    """Another program."""
    with Popen(["/bin/sleep", "600"]) as process:
        yield process
        process.kill()


async def test_who_writes_a_batch_is_named_until_it_is_franked(bench: Bench, second: Popen[bytes]) -> None:
    other = Writer.of("python3", second.pid)
    number = (await bench.desk.begin_job("XRATE", FIRST)).job
    for refused in (bench.desk.begin_job("XRATE", other), bench.desk.begin_job("XRATE", FIRST)):
        with pytest.raises(
            ControlError, match=rf"another batch is being franked here, by fob \(process {os.getpid()}\)"
        ) as error:
            await refused
        assert error.value.status == BUSY_STATUS
    await bench.desk.add(number, letters(2))
    # It is nobody else's to go on with, or to give up.
    for taken in (bench.desk.resumable(), bench.desk.give_up()):
        with pytest.raises(ControlError, match="another batch is being franked here"):
            await taken
    await bench.desk.frank(number, ZSH, lambda done: None)
    assert (await bench.desk.begin_job("XRATE", other)).dropped == 0


async def test_a_batch_that_waits_for_its_pin_is_still_its_own(bench: Bench, second: Popen[bytes]) -> None:
    number = (await bench.desk.begin_job("XRATE", FIRST)).job
    await bench.desk.add(number, letters(1))
    bench.meter.needs_pin = True
    with pytest.raises(CkrError) as needed:
        await bench.desk.frank(number, ZSH, lambda done: None)
    assert needed.value.ckr is Ckr.USER_NOT_LOGGED_IN
    with pytest.raises(ControlError, match="another batch is being franked here"):
        await bench.desk.begin_job("XRATE", Writer.of("fob", second.pid))
    bench.meter.needs_pin = False
    assert (await bench.desk.frank(number, ZSH, lambda done: None)).done == 1


async def test_a_program_that_ended_keeps_nobody_waiting(bench: Bench, second: Popen[bytes]) -> None:
    number = (await bench.desk.begin_job("XRATE", Writer.of("fob", second.pid))).job
    await bench.desk.add(number, letters(3))
    second.kill()
    second.wait()
    assert (await bench.desk.begin_job("XRATE", FIRST)).dropped == 3
    with pytest.raises(ControlError, match="another one was begun since"):
        await bench.desk.add(number, letters(1))


def test_a_program_that_says_no_more_has_given_up(second: Popen[bytes]) -> None:
    now = 100.0
    drafts = Drafts(lambda: now)
    drafts.begin(1, FIRST)
    other = Writer.of("fob", second.pid)
    for idle, writer in ((OWN_IDLE_TIME, FIRST), (IDLE_TIME, other)):
        now = 100.0 + idle - 1
        with pytest.raises(ControlError):
            drafts.check_free(writer)
        now += 1
        drafts.check_free(writer)
    drafts.hear(1)
    with pytest.raises(ControlError):
        drafts.check_free(other)
