"""What a device is answered: the set that its options come to, with all that it needs to take it (C6, C8, C16, C20)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from fob_office.components.candidates import Candidate, load_candidates, needed_by
from fob_office.components.fitting import NotFittingError, Placed, arrange
from fob_office.components.selection import Selection, Wish
from fob_office.components.service import content_key
from fob_office.components.versions import pack
from fob_office.configuration.cookies import Ticket, new_ticket
from fob_office.devices.memory import regions_of
from fob_office.devices.service import authorisation_key
from fob_office.devices.tables import Device
from fob_office.office import Office
from fob_office.orders.service import options_of
from fob_office.refusing import RuleBrokenError
from fob_office.rollout.membership import Offer, offers_for
from fob_office.servers.identity import Identity
from fob_protocol.cose.headers import key_id
from fob_protocol.office.authorisation import authorisation_code
from fob_protocol.office.configuration import Current, Granted, Notice, Notices, Purpose, Request
from fob_protocol.office.envelope import Refused
from fob_protocol.office.limits import TICKET_TIME
from fob_protocol.office.manifest import Manifest
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.release import wrap_key

# When the operator may have mended what does not fit.
LATER = 3600


@dataclass(frozen=True, slots=True)
class Composed:
    """`releases` (rows) may be fetched, `offers` are the rollouts that let the device have them.

    `kept`: options that no new set could hold, so that everything stays as it is.
    """

    answer: Message = field(repr=False)
    set_number: int = 0
    releases: tuple[int, ...] = ()
    offers: tuple[Offer, ...] = ()
    kept: tuple[str, ...] = ()


def compose(session: Session, office: Office, server: Identity, device: Device, request: Request) -> Composed:
    """For a device that has shown who it is. Raises RuleBrokenError UNAVAILABLE: the set fits no longer."""
    offers = offers_for(session, device)
    options = options_of(session, device.id)
    selection = _selection(session, office, device, request, options, offers)
    chosen = selection.set_of(options)
    notices = _notices(selection, request)
    wanted = {candidate.release.component for candidate in chosen.values()}
    if request.purpose is Purpose.LOOK or wanted == set(request.catalogue):
        return Composed(Current(notices))
    held = {component.id for component in request.catalogue}
    if kept := tuple(option for option in selection.lacking(options) if option in held):
        # A set without them would take away what is ordered and runs, and one with them would be refused: whoever
        # waits for something else, or for something to go, is told so.
        would_go = held - chosen.keys() - set(kept) - needed_by(session, kept)
        is_awaited = bool(would_go) or not wanted <= set(request.catalogue)
        return Composed(Refused(Refusal.LACKING, None) if is_awaited else Current(notices), kept=kept)
    try:
        placed = arrange(chosen, regions_of(device.regions))
    except NotFittingError as error:
        why = f"the set of {device.serial} does not fit: {error}"
        raise RuleBrokenError(Refusal.UNAVAILABLE, "C16", why, LATER) from None
    return Composed(
        _granted(office, server, device, request, placed, notices),
        request.set_number + 1,
        tuple(one.candidate.row for one in placed),
        tuple(offers[one.candidate.row] for one in placed if one.candidate.row in offers),
    )


def _selection(
    session: Session, office: Office, device: Device, request: Request, options: set[str], offers: dict[int, Offer]
) -> Selection:
    installed = {component.id: component for component in request.catalogue}
    wish = Wish(device.hardware, office.now(), request.security_counter, installed)
    candidates = load_candidates(session, options | installed.keys())
    return Selection(candidates, wish, lambda candidate: candidate.row in offers)


def _notices(selection: Selection, request: Request) -> Notices:
    """C11: each installed component of which there is a newer version, and nothing else."""
    return tuple(
        Notice(component.id, component.version, newest)
        for component in request.catalogue
        if (newest := selection.newest(component.id)) is not None and newest > component.version
    )


def _granted(
    office: Office, server: Identity, device: Device, request: Request, placed: Sequence[Placed], notices: Notices
) -> Granted:
    candidates = [one.candidate for one in placed]
    manifest = _manifest(office, device, request, placed)
    components = [candidate.release.component for candidate in candidates]
    return Granted(
        manifest.signed(server.signing_key),
        tuple(candidate.signed for candidate in candidates),
        tuple(sorted({candidate.certificate for candidate in candidates})),
        tuple(_wrapped(office, device, candidate) for candidate in candidates),
        authorisation_code(authorisation_key(office, device), device.serial, manifest.set_number, components),
        new_ticket(office, Ticket(device.id, request.counter)),
        notices,
    )


def _manifest(office: Office, device: Device, request: Request, placed: Sequence[Placed]) -> Manifest:
    """Its security counter is the least one of its releases, and never below the device's."""
    counters = [one.candidate.release.security_counter for one in placed]
    return Manifest(
        key_id(device.signing_key), request.challenge, request.set_number + 1, request.hardware,
        office.now(), office.now() + TICKET_TIME,
        min(counters, default=request.security_counter), tuple(one.entry for one in placed),
    )  # fmt: skip


def _wrapped(office: Office, device: Device, candidate: Candidate) -> bytes:
    """The content's key, for this device alone (C23)."""
    release = candidate.release
    key = content_key(office, release.id, pack(release.version), candidate.content_key)
    return wrap_key(key, device.sealing_key, candidate.signed)
