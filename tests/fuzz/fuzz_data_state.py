"""Fuzz the phone's door in data state: any command text of a paired PC is answered, and the next one works.

python tests/fuzz/fuzz_data_state.py -runs=2000
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fob_protocol.at", "fob_protocol.catalogue", "fob_device.security"]):
    from fob_device.approval.rules import Rules
    from fob_device.memory import Memory
    from fob_device.security.manager import SecurityManager
    from fob_device.token.kdf import KdfCost
    from fob_protocol.at.answer import Answer, decode_answer, encode_answer
    from fob_protocol.at.command import decode_command
    from fob_protocol.catalogue import COMMANDS, GET_TOKEN_INFO
    from fob_protocol.errors import AtSyntaxError
    from fob_protocol.pkcs11.ckr import Ckr

# Making RSA keys is slow and not what is fuzzed; a new PIN or token would end the login that opens the other doors.
LEFT_OUT = {"+C_GENKEYPAIR", "+C_INITTOKEN", "+C_INITPIN", "+C_SETPIN"}
NAMES = sorted(set(COMMANDS) - LEFT_OUT)
PIN = b"123456"


def make_manager(folder: Path) -> SecurityManager:
    """A logged-in phone with one key."""
    memory = Memory.create(
        folder / "token.db", root_key=bytes(32), label="fuzz", so_pin=b"12345678", user_pin=PIN,
        random=random.Random(1).randbytes, clock=lambda: 0.0, kdf=KdfCost(iterations=1, lanes=1, memory_kib=8),
    )  # fmt: skip
    return SecurityManager(memory.token, Rules(), pc_name="fuzz")


async def converse(manager: SecurityManager, text: bytes) -> None:
    """One text, then a command that always works."""
    try:
        command = decode_command(text)
    except AtSyntaxError:
        return
    answer = await manager.execute(command)
    assert isinstance(answer, Answer)
    assert decode_answer(encode_answer(answer)) == answer
    assert (await manager.execute(GET_TOKEN_INFO.build())).ckr == Ckr.OK


def main() -> None:
    """Seeds libFuzzer's input with the names of the catalogue: the first octet chooses one."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        manager = make_manager(Path(folder))

        def test_one_input(data: bytes) -> None:
            name = NAMES[data[0] % len(NAMES)].encode() if data else b""
            runner.run(converse(manager, b"AT" + name + b"=" + data[1:]))

        atheris.Setup(sys.argv, test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
