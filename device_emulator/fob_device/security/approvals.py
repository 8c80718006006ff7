"""What the PC may see and take back of what its programs were allowed."""

from fob_device.history.revocation import revocation
from fob_device.security.context import Context
from fob_device.security.values import whole
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


async def list_grants(context: Context, values: Values) -> Answer:
    """A line for each grant: its number, the seconds left, what it is for in words."""
    grants = context.desk.grants
    return Answer(tuple((grant.number, grants.seconds_left(grant), grants.words(grant)) for grant in grants.active()))


async def revoke_grant(context: Context, values: Values) -> Answer:
    """One grant by its number, all of them by 0."""
    number, grants = whole(values[0]), context.desk.grants
    revoked = [grant for grant in grants.active() if number in (0, grant.number)]
    if number == 0:
        grants.revoke_all()
    elif not grants.revoke(number):
        raise CkrError(Ckr.ARGUMENTS_BAD, f"no grant {number}")
    for grant in revoked:
        context.journal.note(revocation(grant))
    return Answer()
