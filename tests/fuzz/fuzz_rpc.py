"""Fuzz the provider socket without a socket: a logged-in client calls anything with any arguments.

python tests/fuzz/fuzz_rpc.py -runs=100000
"""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["fob_daemon", "fob_protocol"]):
    from fob_daemon.rpc.calls import CALLS
    from fob_daemon.rpc.dispatch import Dispatcher
    from fob_daemon.rpc.frames import FrameReader, FrameTooLargeError

import structlog

from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from rpc.conversation import IDS, INITIALIZE, ay, error, reply, request, u
from rpc.fake_application import PIN, SLOT, FakeApplication

# It waits for an event that never comes.
UNTRIED = {IDS["C_WaitForSlotEvent"]}
# The fake engine makes mistakes in these on purpose, and C_Initialize says so to another protocol.
DELIBERATE_MISTAKES = {IDS[name] for name in ("C_Initialize", "C_DecryptInit", "C_Decrypt")}


async def answer_of(dispatcher: Dispatcher, body: bytes) -> bytes:
    """The reply's body, waited for."""
    answer = dispatcher.answer(body)
    return await answer if isinstance(answer, Coroutine) else answer


async def converse(choices: atheris.FuzzedDataProvider) -> None:
    """Every request is answered, and never by GENERAL_ERROR, which stands for a mistake of ours."""
    dispatcher = Dispatcher(choices.ConsumeIntInRange(0, 3), FakeApplication)
    await answer_of(dispatcher, INITIALIZE)
    await answer_of(dispatcher, request("C_OpenSession", u(SLOT), u(6)))
    await answer_of(dispatcher, request("C_Login", u(1), u(Cku.USER), ay(PIN)))
    while choices.remaining_bytes():
        call = CALLS[choices.ConsumeIntInRange(1, len(CALLS))]
        arguments = choices.ConsumeBytes(choices.ConsumeIntInRange(0, 120))
        if call.id not in UNTRIED:
            answer = await answer_of(dispatcher, request(call.name, arguments))
            assert answer.startswith((reply(call.name), error(0)[:9]))
            assert answer != error(Ckr.GENERAL_ERROR) or call.id in DELIBERATE_MISTAKES
    dispatcher.close()


def cut_frames(stream: bytes) -> None:
    """The same bytes as a stream of frames."""
    frames = FrameReader(max_options=64, max_body=4096)
    frames.feed(memoryview(stream))
    with contextlib.suppress(FrameTooLargeError):
        while frames.next_frame() is not None:
            pass


def test_one_input(data: bytes) -> None:
    """One client."""
    cut_frames(data)
    asyncio.run(converse(atheris.FuzzedDataProvider(data)))


def main() -> None:
    """Run until a limit given to libFuzzer, or for ever."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
