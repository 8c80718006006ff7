"""What a registration keeps sealed: the shared key, the server's secret until it is confirmed, the person's fields."""

from collections.abc import Mapping

from fob_office.registration.tables import Registration
from fob_office.secrets.sealing import Place, Sealer
from fob_protocol.cose.cbor import Value, decode, encode


def seal_key(sealer: Sealer, user_code: bytes, key: bytes) -> bytes:
    """K, as it stands in its row."""
    return sealer.seal(_place("authentication_key", user_code), key)


def key_of(sealer: Sealer, row: Registration) -> bytes | None:
    """K; None when it is erased. Raises UnsealError."""
    if row.authentication_key is None:
        return None
    return sealer.unseal(_place("authentication_key", row.user_code), row.authentication_key)


def seal_ssk2(sealer: Sealer, user_code: bytes, ssk2: bytes) -> bytes:
    """SSK2 as it stands in its row; empty in the reduced form."""
    return sealer.seal(_place("ssk2", user_code), ssk2)


def ssk2_of(sealer: Sealer, row: Registration) -> bytes | None:
    """SSK2; None when it is forgotten. Raises UnsealError."""
    return sealer.unseal(_place("ssk2", row.user_code), row.ssk2) if row.ssk2 is not None else None


def seal_fields(sealer: Sealer, user_code: bytes, fields: Mapping[str, str]) -> bytes:
    """What the person filled in, as it stands in its row."""
    return sealer.seal(_place("fields", user_code), fields_octets(fields))


def fields_of(sealer: Sealer, row: Registration) -> dict[str, str]:
    """What the person filled in. Raises UnsealError."""
    fields = decode(sealer.unseal(_place("fields", row.user_code), row.fields))
    if not isinstance(fields, dict):
        raise TypeError("fields are a map")
    return {str(name): str(text) for name, text in fields.items()}


def fields_octets(fields: Mapping[str, str]) -> bytes:
    """A map in CBOR."""
    entries: dict[int | str, Value] = dict(fields.items())
    return encode(entries)


def _place(column: str, user_code: bytes) -> Place:
    return Place(Registration.__tablename__, column, user_code)
