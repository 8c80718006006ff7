"""The directory: all that it says is signed by the issuer."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from fob_office.issuer.lists import latest_list
from fob_office.office import Office
from fob_office.role import Body, Handler, Role
from fob_office.servers.service import current_keys
from fob_protocol.office.certificate import Usage
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import read


def servers(session: Session) -> Servers:
    """All that are not revoked, and the list."""
    return Servers(tuple(keys.certificate for keys in current_keys(session)), latest_list(session).signed)


def _handlers(office: Office) -> Mapping[Service, Handler]:
    def list_servers(body: Body) -> bytes:
        read(ListServers, body.octets)
        with office.database.read() as session:
            return servers(session).octets()

    return {Service.DIRECTORY: list_servers}


DIRECTORY = Role("directory", {Service.DIRECTORY: Usage.CONFIGURATION}, _handlers)
