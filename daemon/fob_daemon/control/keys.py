"""Key commands: list, show, make and delete keys of a device through a Cryptoki session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_daemon.control.key_generation import generation
from fob_daemon.control.key_type import KeyType
from fob_daemon.control.limits import MAX_KEYS
from fob_daemon.control.public_key import NEEDED, pem, public_key, ssh_line, type_words
from fob_daemon.control.token_sessions import TokenSession
from fob_daemon.control.token_uri import key_uri
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko

# Long enough that two keys of a person never meet, short enough to type.
NEW_ID_SIZE: Final = 4

_IDENTITY: Final = (Cka.CLASS, Cka.ID, Cka.LABEL, *NEEDED)
_SHOWN: Final = (
    Cka.TOKEN, Cka.PRIVATE, Cka.MODIFIABLE, Cka.LOCAL, Cka.SENSITIVE, Cka.ALWAYS_SENSITIVE, Cka.EXTRACTABLE,
    Cka.NEVER_EXTRACTABLE, Cka.ALWAYS_AUTHENTICATE, Cka.SIGN, Cka.DECRYPT, Cka.DERIVE, Cka.VERIFY, Cka.ENCRYPT,
    Cka.MODULUS_BITS, Cka.PUBLIC_EXPONENT, Cka.EC_PARAMS, Cka.KEY_GEN_MECHANISM, Cka.ALLOWED_MECHANISMS,
)  # fmt: skip

_KEY_CLASSES: Final = {Cko.PUBLIC_KEY: "public", Cko.PRIVATE_KEY: "private"}


@dataclass(frozen=True, slots=True)
class KeySummary:
    """One key pair in a list. `objects` names the halves that this session sees: public, private."""

    device: str
    id: str
    label: str
    type: str
    objects: tuple[str, ...]
    uri: str


@dataclass(frozen=True, slots=True)
class KeyDetails(KeySummary):
    """One key pair in full; `pem` and `ssh` None when its public half is not on the token or of an unknown kind."""

    pem: str | None
    ssh: str | None
    attributes: dict[str, Json]


@dataclass(frozen=True, slots=True)
class KeyObject:
    """A key object: its handle, its half, its identity."""

    handle: int
    half: str
    attributes: Attributes


async def list_keys(session: TokenSession) -> list[KeySummary]:
    """The key pairs that the session sees, by label. Raises CkrError."""
    pairs: dict[tuple[bytes, bytes], list[KeyObject]] = {}
    for found in await _key_objects(session):
        key_id = octets(found.attributes, Cka.ID)
        # What has no id belongs together by its label.
        label = b"" if key_id else octets(found.attributes, Cka.LABEL)
        pairs.setdefault((key_id, label), []).append(found)
    summaries = [_summary(session, key_id, halves) for (key_id, _), halves in pairs.items()]
    return sorted(summaries, key=lambda key: (key.label, key.id))


async def show_key(session: TokenSession, key_id: bytes) -> KeyDetails:
    """One key pair. Raises ControlError when there is none, CkrError."""
    halves = await _halves(session, key_id)
    summary = _summary(session, key_id, halves)
    key = next((key for half in halves if (key := public_key(half.attributes)) is not None), None)
    attributes = {half.half: _attributes_json(await _read(session, half.handle, _SHOWN)) for half in halves}
    return KeyDetails(
        summary.device,
        summary.id,
        summary.label,
        summary.type,
        summary.objects,
        summary.uri,
        pem(key) if key else None,
        ssh_line(key, summary.label) if key else None,
        dict(attributes),
    )


async def new_key(
    session: TokenSession, key_type: KeyType, label: str, key_id: bytes | None, random: Callable[[int], bytes]
) -> KeySummary:
    """Make a key pair on the device. Raises ControlError when the id is taken, CkrError."""
    taken = {octets(found.attributes, Cka.ID) for found in await _key_objects(session)}
    if key_id is None:
        key_id = random(NEW_ID_SIZE)
        while key_id in taken:
            key_id = random(NEW_ID_SIZE)
    elif key_id in taken:
        raise ControlError(
            "the key was not made",
            f"'{session.device.name}' has a key with the id {key_id.hex()}",
            "the same command without --id",
        )
    await session.application.generate_key_pair(session.handle, *generation(key_type, label, key_id))
    return _summary(session, key_id, await _halves(session, key_id))


async def delete_key(session: TokenSession, key_id: bytes) -> KeySummary:
    """Delete both halves, the private one first: a public key without its private one does no harm. Raises as above."""
    halves = await _halves(session, key_id)
    summary = _summary(session, key_id, halves)
    for half in sorted(halves, key=lambda half: half.half != "private"):
        await session.application.destroy_object(session.handle, half.handle)
    return summary


async def _halves(session: TokenSession, key_id: bytes) -> list[KeyObject]:
    halves = await _key_objects(session, {Cka.ID: key_id})
    if not halves:
        raise ControlError(
            f"'{session.device.name}' shows no key with the id {key_id.hex()}",
            "it was deleted, or it is visible only while the device is unlocked",
            "fob keys list",
            ExitCode.FAILED,
            status=404,
        )
    return halves


async def _key_objects(session: TokenSession, template: Template | None = None) -> list[KeyObject]:
    found = []
    for key_class, half in _KEY_CLASSES.items():
        for handle in _find(session, {Cka.CLASS: key_class, **(template or {})}):
            found.append(KeyObject(handle, half, await _read(session, handle, _IDENTITY)))
    return found


def _find(session: TokenSession, template: Template) -> list[int]:
    session.application.find_objects_init(session.handle, template)
    try:
        return session.application.find_objects(session.handle, MAX_KEYS)
    finally:
        session.application.find_objects_final(session.handle)


async def _read(session: TokenSession, handle: int, types: Sequence[Cka]) -> Attributes:
    answers = await session.application.get_attribute_values(session.handle, handle, types)
    return {attribute: value for attribute, value in zip(types, answers, strict=True) if not isinstance(value, Ckr)}


def _summary(session: TokenSession, key_id: bytes, halves: Sequence[KeyObject]) -> KeySummary:
    first = halves[0].attributes
    label = octets(first, Cka.LABEL).decode(errors="replace")
    objects = tuple(half.half for half in halves)
    token = session.application.get_token_info(session.device.slot)
    uri = key_uri(token, label, key_id, "private")
    return KeySummary(session.device.name, key_id.hex(), label, type_words(first), objects, uri)


def _attributes_json(attributes: Attributes) -> dict[str, Json]:
    return {_name(attribute): _value_json(value) for attribute, value in attributes.items()}


def _name(attribute: int) -> str:
    # The header lists its old name first.
    return "CKA_EC_PARAMS" if attribute == Cka.EC_PARAMS else f"CKA_{Cka(attribute).name}"


def _value_json(value: AttributeValue) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    return list(value) if isinstance(value, tuple) else value
