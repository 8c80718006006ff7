"""Ordered options of which there is nothing to give now: revoked, over, or older than what the device holds."""

from sqlalchemy.orm import Session

from fob_office.components.candidates import load_candidates
from fob_office.components.selection import Selection, Wish
from fob_office.devices.inventory import catalogue_of
from fob_office.devices.tables import Device, Inventory
from fob_office.orders.service import options_of
from fob_office.rollout.membership import offers_for


def lacking_of(session: Session, device: Device, now: int) -> list[str]:
    """By what the device last said that it holds. What only waits for its rollout is not lacking."""
    options = options_of(session, device.id)
    held = {component.id: component for component in catalogue_of(session, device.id)}
    wish = Wish(device.hardware, now, session.get_one(Inventory, device.id).security_counter, held)
    candidates = load_candidates(session, options)
    offers = offers_for(session, device)
    given = Selection(candidates, wish, lambda candidate: candidate.row in offers).lacking(options)
    coming = Selection(candidates, wish, lambda _: True)
    return [option for option in given if option in held or coming.choose(option) is None]
