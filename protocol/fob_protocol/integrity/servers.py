"""Whom a holder asks about its copies, of the servers that it knows (V3, V4)."""

from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.known import Known


def distribution_server(known: Known, clock: int) -> Certificate:
    """The first by name. Raises OfficeError; OTHER_SERVER when none is known."""
    names = [one.server for one in known.listed(Usage.DISTRIBUTION)]
    return known.server(names[0] if names else "distribution", Usage.DISTRIBUTION, clock)


def validation_server(known: Known, copy: HeldCopy, clock: int) -> Certificate:
    """By its newest certificate; the one that came with the copy at first. Raises OfficeError."""
    name = copy.about.validation_server
    signed = known.certificates.get(name, copy.certificate)
    return known.now(clock).check(signed, name, Usage.VALIDATION)
