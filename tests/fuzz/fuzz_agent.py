"""Fuzz the agent socket's bytes: whatever a client sends, every message has an answer, or the connection ends.

    PYTHONPATH=tests python tests/fuzz/fuzz_agent.py -max_total_time=60

The first byte chooses whether the rest is a stream, one message, the contents of a session binding, or damage to
a good one.
"""

import asyncio
import logging
import sys
from itertools import zip_longest

import atheris
import structlog

with atheris.instrument_imports(include=["fob_daemon", "fob_protocol"]):
    from agent.client import extension
    from agent.fake_application import FakeToken
    from agent.fake_keys import ALL_KEYS, ed25519_key, p256_key, rsa_key
    from agent.harness import Desk
    from agent.hosts import binding
    from fob_daemon.agent.limits import MAX_MESSAGE
    from fob_daemon.agent.wire import MessageLengthError, MessageReader

BIND = "session-bind@openssh.com"
GOOD_BINDINGS = [binding(key()) for key in ALL_KEYS]
KINDS = STREAM, MESSAGE, BINDING, DAMAGED_BINDING = range(4)


async def converse(kind: int, data: bytes) -> None:
    """One connection from its start to its end."""
    desk = Desk([FakeToken([rsa_key(), p256_key(), ed25519_key()])])
    session = desk.connect()
    for message in messages(kind, data):
        reply = await session.answer(message)
        assert 0 < len(reply) <= MAX_MESSAGE
    session.close()


def messages(kind: int, data: bytes) -> list[bytes]:
    """What arrives at the session."""
    if kind == BINDING:
        return [extension(BIND, data)]
    if kind == DAMAGED_BINDING:
        return [extension(BIND, damaged(data))]
    if kind == MESSAGE:
        return [data] if data else []
    reader = MessageReader()
    reader.feed(data)
    found = []
    try:
        while (message := reader.next_message()) is not None:
            found.append(message)
    except MessageLengthError:
        pass
    return found


def damaged(data: bytes) -> bytes:
    """A good binding, by the key that the first byte chooses, with the rest of `data` on top of it."""
    good = GOOD_BINDINGS[data[0] % len(GOOD_BINDINGS)] if data else b""
    return bytes(a ^ b for a, b in zip_longest(good, data[1:], fillvalue=0))


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with asyncio.Runner() as runner:

        def test_one_input(data: bytes) -> None:
            if data:
                runner.run(converse(data[0] % len(KINDS), data[1:]))

        atheris.Setup(sys.argv, test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
