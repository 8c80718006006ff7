"""The role that copies are appraised by."""

from collections.abc import Mapping
from functools import partial

from fob_office.office import Office
from fob_office.role import Handler, Role
from fob_office.validation import tables  # noqa: F401 - the tables of this role
from fob_office.validation.messages import answer
from fob_office.validation.routes import operator_routes
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


def _handlers(office: Office) -> Mapping[Service, Handler]:
    return {Service.VALIDATION: partial(answer, office)}


VALIDATION = Role("validation", {Service.VALIDATION: Usage.VALIDATION}, _handlers, operator_routes)
