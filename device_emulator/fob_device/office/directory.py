"""Which servers there are: service `directory` (R3, R7)."""

from fob_device.office.conversation import Conversation, Speaker
from fob_protocol.office.directory import ListServers, Servers
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import read


def ask_directory(speaker: Speaker) -> Conversation[Servers]:
    """All of it is signed by the issuer, so it does not matter who was asked."""
    answer = yield speaker.ask(Service.DIRECTORY, ListServers())
    return read(Servers, answer.body)
