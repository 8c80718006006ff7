"""What an office does to answer, and what it has written down: nobody is told more by either than by its words."""

import hmac
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import event, select

from fob_office.database.base import Base
from fob_protocol.cose import hpke
from support.office import OfficeScene


@contextmanager
def counted(scene: OfficeScene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What the office does: signatures checked, seals opened and made, proofs, and each statement."""
    work: Counter[str] = Counter()

    class Suite:
        def encrypt(self, *arguments: Any) -> bytes:
            work["seal"] += 1
            return suite.encrypt(*arguments)

        def decrypt(self, *arguments: Any) -> bytes:
            work["unseal"] += 1
            return suite.decrypt(*arguments)

    class Key:
        @staticmethod
        def from_public_bytes(octets: bytes) -> Any:
            work["verify"] += 1
            return Ed25519PublicKey.from_public_bytes(octets)

    def digest(*arguments: Any) -> bytes:
        work["proof"] += 1
        return proof(*arguments)

    def executed(_: object, __: object, statement: str, *___: object) -> None:
        work[statement] += 1

    suite, proof = hpke._SUITE, hmac.digest
    with monkeypatch.context() as patched:
        patched.setattr(hpke, "_SUITE", Suite())
        patched.setattr("fob_protocol.cose.sign1.Ed25519PublicKey", Key)
        patched.setattr(hmac, "digest", digest)
        event.listen(scene.office.database.engine, "before_cursor_execute", executed)
        try:
            yield work
        finally:
            event.remove(scene.office.database.engine, "before_cursor_execute", executed)


def all_rows(scene: OfficeScene) -> dict[str, list[tuple[Any, ...]]]:
    """The whole database."""
    with scene.office.database.read() as session:
        return {
            name: sorted(map(tuple, session.execute(select(table)).all()), key=repr)
            for name, table in Base.metadata.tables.items()
        }
