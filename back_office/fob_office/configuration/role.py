"""The role that devices are configured by."""

from collections.abc import Mapping
from functools import partial

from fob_office.configuration import messages
from fob_office.office import Office
from fob_office.role import Handler, Role
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


def _handlers(office: Office) -> Mapping[Service, Handler]:
    return {
        Service.CONFIGURATION: partial(messages.configuration, office),
        Service.CONTENT: partial(messages.content, office),
        Service.REPORT: partial(messages.report, office),
    }


CONFIGURATION = Role(
    "configuration",
    {
        Service.CONFIGURATION: Usage.CONFIGURATION,
        Service.CONTENT: Usage.CONFIGURATION,
        Service.REPORT: Usage.CONFIGURATION,
    },
    _handlers,
)
