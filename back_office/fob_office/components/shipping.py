"""The components that come with Fob, released by this office."""

from collections.abc import Iterator, Sequence

from fob_office.components.drafts import Draft
from fob_office.components.service import SERVER, enter_release, highest_version
from fob_office.components.tables import ReleaseState
from fob_office.components.versions import pack
from fob_office.office import Office
from fob_office.shipped import Shipped, shipped
from fob_protocol.office.release import Dependency


def add_shipped(office: Office, hardware: Sequence[str], who: str, *, server: str = SERVER) -> list[str]:
    """Those that are not here yet, or are older here; their ids. Raises OperatorError."""
    added: list[str] = []
    with office.database.write() as session:
        for name, component in _in_order():
            if highest_version(session, name) < pack(component.version):
                draft = _draft(name, component, tuple(hardware))
                enter_release(session, office, draft, who, server=server, state=ReleaseState.AVAILABLE)
                added.append(name)
    return added


def _in_order() -> Iterator[tuple[str, Shipped]]:
    """What is depended on comes first."""
    waiting = dict(shipped())
    while waiting:
        ready = [name for name, component in waiting.items() if not component.dependencies.keys() & waiting.keys()]
        yield from ((name, waiting.pop(name)) for name in ready)


def _draft(name: str, component: Shipped, hardware: tuple[str, ...]) -> Draft:
    needed = tuple(Dependency(one, least) for one, least in sorted(component.dependencies.items()))
    return Draft(
        name, component.version, component.title, component.kind, component.content(), hardware, needed,
        component.commands,
    )  # fmt: skip
