"""A PKCS#11 application in its own process, told on its standard input what to do next; used by the benches.

A line in is `{"task": ..., "count": ..., "key": ...}`; a line out is the list of seconds that each call took.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Final

from cryptoki import CkAttribute, CkSessionInfo, CkUlong, Module, Session
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm

DIGEST: Final = bytes(range(32))
MEBIBYTE: Final = 1 << 20
# What pkcs11-tool reads of a file at a time.
PART: Final = 1024

MECHANISMS: Final = {"RSA-2048": Ckm.SHA256_RSA_PKCS, "P-256": Ckm.ECDSA}

Call = Callable[[], object]


class Client:
    """The process, from the side of the bench. Use as a context manager."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | environment,
            text=True,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def begin(self, task: str, count: int, key: str = "") -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"task": task, "count": count, "key": key}) + "\n")
        self._process.stdin.flush()

    def times(self) -> list[float]:
        """The seconds of each call of what was begun. Raises EOFError when the process ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the client ended; its words stand above")
        seconds: list[float] = json.loads(line)
        return seconds

    def run(self, task: str, count: int, key: str = "") -> list[float]:
        """`begin` and `times`."""
        self.begin(task, count, key)
        return self.times()


def session_info(session: Session) -> Call:
    """C_GetSessionInfo: the cheapest call there is."""
    function, handle, information = session.module.function("GetSessionInfo"), session.handle, CkSessionInfo()
    reference = ctypes.byref(information)
    return lambda: function(handle, reference)


def attributes(session: Session, key: str) -> Call:
    """C_GetAttributeValue of three attributes of a private key."""
    function, handle, found = session.module.function("GetAttributeValue"), session.handle, session.private_key(key)
    room = ctypes.create_string_buffer(3 * 256)
    types = (Cka.LABEL, Cka.ID, Cka.KEY_TYPE)

    def call() -> None:
        start = ctypes.addressof(room)
        template = (CkAttribute * 3)(*(CkAttribute(kind, start + 256 * place, 256) for place, kind in enumerate(types)))
        if function(handle, found, template, CkUlong(3)):
            raise ArithmeticError("C_GetAttributeValue failed")

    return call


def signature(session: Session, key: str) -> Call:
    """A signature of 32 octets, by C_SignInit and C_Sign."""
    found = session.private_key(key)
    return lambda: session.sign(found, MECHANISMS[key], DIGEST)


def long_signature(session: Session, key: str) -> Call:
    """A signature of 1 MiB in parts, as pkcs11-tool signs a file."""
    found, parts = session.private_key(key), [bytes(PART)] * (MEBIBYTE // PART)
    return lambda: session.sign(found, MECHANISMS[key], *parts)


def prepare(session: Session, task: str, key: str) -> Call:
    """The call that a task repeats."""
    match task:
        case "session-info":
            return session_info(session)
        case "attributes":
            return attributes(session, key)
        case "sign":
            return signature(session, key)
        case "sign-long":
            return long_signature(session, key)
    raise ValueError(f"no task is called '{task}'")


def main() -> None:
    """Serve the bench that started this process."""
    module = Module(os.environ["PKCS11_MODULE"])
    session = Session(module, os.environ["PKCS11_TOKEN_LABEL"], os.environ["PKCS11_PIN"])
    for line in sys.stdin:
        order = json.loads(line)
        call = prepare(session, order["task"], order["key"])
        seconds = []
        for _ in range(order["count"]):
            began = perf_counter()
            call()
            seconds.append(perf_counter() - began)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()
