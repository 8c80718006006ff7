"""The keys that a connection may use: public key objects, which a token shows without login."""

from dataclasses import dataclass
from typing import Final

import structlog

from fob_daemon.agent.keys import KEY_ATTRIBUTES, UnsupportedKeyError, public_key_blob
from fob_daemon.agent.logins import AgentLogins, KeyName
from fob_daemon.agent.objects import find_objects, open_session, read_attributes
from fob_daemon.cryptoki.interface import Application
from fob_protocol.limits import LABEL_LIMIT
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_ATTRIBUTES: Final = (*KEY_ATTRIBUTES, Cka.ID, Cka.LABEL, Cka.VERIFY)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair on a token: `algorithm` and `blob` as SSH names it, `comment` for people."""

    name: KeyName
    algorithm: str
    blob: bytes
    comment: str


async def list_identities(application: Application, logins: AgentLogins) -> list[Identity]:
    """What `application` shows of the keys that sign; none twice. A token that refuses is left out."""
    identities: dict[bytes, Identity] = {}
    for slot in application.get_slot_list(token_present=True):
        try:
            found = await _of_token(application, slot, logins)
        except CkrError as error:
            _log.warning("agent.token_left_out", slot=slot, reason=str(error))
            continue
        for identity in found:
            identities.setdefault(identity.blob, identity)
    return list(identities.values())


async def _of_token(application: Application, slot: int, logins: AgentLogins) -> list[Identity]:
    permissions = await logins.permissions(slot)
    found = []
    with open_session(application, slot) as session:
        for handle in find_objects(application, session, {Cka.CLASS: Cko.PUBLIC_KEY}):
            attributes = await read_attributes(application, session, handle, _ATTRIBUTES)
            identity = _identity(slot, attributes)
            if identity is not None and permissions.may_sign(identity.name):
                found.append(identity)
    return found


def _identity(slot: int, attributes: Attributes) -> Identity | None:
    """None for a key that SSH cannot use, or that is not for signatures."""
    label = attributes.get(Cka.LABEL)
    # Programs print the comment as it is, and people append it to authorized_keys: a line of it would be a key.
    comment = plain_name(label.decode(errors="replace"), LABEL_LIMIT) if isinstance(label, bytes) else ""
    if attributes.get(Cka.VERIFY) is False:
        return None
    try:
        algorithm, blob = public_key_blob(attributes)
    except UnsupportedKeyError as error:
        _log.debug("agent.key_left_out", slot=slot, key=comment, reason=str(error))
        return None
    return Identity(KeyName.of(slot, attributes), algorithm, blob, comment)
