"""Bodies of the services `configuration`, `content` and `report`."""

from fob_office.configuration.contents import chunk_for
from fob_office.configuration.cookies import new_challenge
from fob_office.configuration.reports import keep_report
from fob_office.configuration.service import Configuring
from fob_office.office import Office
from fob_office.role import Body
from fob_protocol.office.configuration import (
    ChallengeAnswer,
    Chunk,
    Configure,
    GetChallenge,
    GetChunk,
    Reported,
    SendReport,
)
from fob_protocol.office.message import read, read_one_of


def configuration(office: Office, body: Body) -> bytes:
    """Challenge and request."""
    message = read_one_of((GetChallenge, Configure), body.octets)
    if isinstance(message, Configure):
        return Configuring(office, body.server, message).answer()
    return ChallengeAnswer(new_challenge(office, body.server.name)).octets()


def content(office: Office, body: Body) -> bytes:
    """One chunk."""
    return Chunk(chunk_for(office, read(GetChunk, body.octets))).octets()


def report(office: Office, body: Body) -> bytes:
    """What became of a set."""
    keep_report(office, read(SendReport, body.octets).report)
    return Reported().octets()
