"""What is kept sealed of a copy: its identifier, and what it was last answered (V13, V25)."""

from functools import lru_cache

from fob_office.distribution.tables import Copy, Letter
from fob_office.secrets.sealing import Place, Sealer
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.office.message import read


@lru_cache(maxsize=4096)
def _record(octets: bytes) -> CopyRecord:
    return read(CopyRecord, octets)


def record_of(row: Copy) -> CopyRecord:
    """What its holder was told of it. It was checked when it was made."""
    return _record(row.record)


def seal_identifier(sealer: Sealer, number: bytes, identifier: bytes) -> bytes:
    """The UI of the copy of this number, as it stands in its row."""
    return sealer.seal(_place("identifier", number), identifier)


def identifier_of(sealer: Sealer, row: Copy) -> bytes:
    """The UI. Raises UnsealError."""
    return sealer.unseal(_place("identifier", row.number), row.identifier)


def seal_answer(sealer: Sealer, number: bytes, body: bytes) -> bytes:
    """What a copy was answered, as it stands in its row: a seed is the next identifier to whoever has this one."""
    return sealer.seal(_place("answer", number), body)


def answer_of(sealer: Sealer, row: Copy) -> bytes:
    """What is said again. Raises UnsealError."""
    return sealer.unseal(_place("answer", row.number), row.answer or b"")


def seal_letter(sealer: Sealer, name: bytes, identifier: bytes) -> bytes:
    """The UI of the letter of this name."""
    return sealer.seal(Place(Letter.__tablename__, "identifier", name), identifier)


def letter_identifier(sealer: Sealer, row: Letter) -> bytes:
    """The UI of a letter that was not used. Raises UnsealError."""
    return sealer.unseal(Place(Letter.__tablename__, "identifier", row.name), row.identifier or b"")


def _place(column: str, number: bytes) -> Place:
    return Place(Copy.__tablename__, column, number)
