"""What a session keeps sealed, and erases as soon as it can (R28)."""

from typing import Final

from fob_office.secrets.sealing import Place, Sealer
from fob_office.sessions.tables import OpenSession, Phase
from fob_protocol.office.session import SessionKeys, Transcript

_KEY_SIZE: Final = 32


def seal_shared(sealer: Sealer, session: bytes, shared: bytes) -> bytes:
    """DH as it stands in its row; the server's half of it is never kept."""
    return sealer.seal(_place("shared", session), shared)


def shared_of(sealer: Sealer, row: OpenSession) -> bytes:
    """DH of a session that is not proved yet. Raises UnsealError."""
    return sealer.unseal(_place("shared", row.id), row.shared or b"")


def keep_keys(sealer: Sealer, row: OpenSession, keys: SessionKeys) -> None:
    """From now on the session has its keys, and nothing that they could be made of."""
    row.phase, row.shared = Phase.PROVED, None
    row.keys = sealer.seal(_place("keys", row.id), keys.to_server + keys.to_device)


def keys_of(sealer: Sealer, row: OpenSession) -> SessionKeys:
    """SES of a session that is proved. Raises UnsealError."""
    both = sealer.unseal(_place("keys", row.id), row.keys or b"")
    return SessionKeys(row.id, both[:_KEY_SIZE], both[_KEY_SIZE:])


def end(row: OpenSession) -> None:
    """Its secrets are erased; it is only known that it was."""
    row.phase, row.shared, row.keys = Phase.ENDED, None, None


def transcript(row: OpenSession, challenge: bytes) -> Transcript:
    """All that was said, with the device's challenge."""
    return Transcript(
        row.server, row.user_code, row.id, row.device_key, row.server_key, row.challenge, challenge
    )  # fmt: skip


def _place(column: str, session: bytes) -> Place:
    return Place(OpenSession.__tablename__, column, session)
