"""What the issuer signed and has to sign anew before it ends, or because it does not say all that is revoked."""

from typing import Final

from sqlalchemy.orm import Session

from fob_office.issuer.key_file import is_issuer_key_here
from fob_office.issuer.lists import DAY, latest_list, unsaid
from fob_office.issuer.service import renewing
from fob_office.office import Office
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import current_keys

# Time for somebody to fetch the issuer's key from where it is kept.
NOTICE_DAYS: Final = 30


def soon_over(session: Session, office: Office) -> list[str]:
    """A sentence for each thing, with the command that renews it."""
    now = office.now()
    option = _option(office)
    ends = [("the revocation list", latest_list(session).until, f"fob-office issuer renew-list{option}")]
    for keys in current_keys(session):
        certificate = certificate_of(keys)
        ends.append((f"the certificate of {keys.server}", certificate.not_after, f"{renewing(certificate)}{option}"))
    return not_said(session, office) + [
        f"{what} {when_over(end - now)}: {command}" for what, end, command in ends if end - now < NOTICE_DAYS * DAY
    ]


def not_said(session: Session, office: Office) -> list[str]:
    """A sentence for each server whose keys are revoked here, and not by the list that devices are given."""
    option = _option(office)
    return [
        f"keys of {name} are revoked, and the list for devices does not say so: fob-office issuer renew-list{option}"
        for name in unsaid(session)
    ]


def _option(office: Office) -> str:
    return "" if is_issuer_key_here(office.settings.state) else " --issuer-key FILE"


def when_over(left: int) -> str:
    """With so many seconds left."""
    return f"ends in {left // DAY} days" if left >= 0 else "is over"
