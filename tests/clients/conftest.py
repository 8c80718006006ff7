"""The phones that the tests of this folder share; a module whose tests need another one starts its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from support.live import SERIAL, Live, live_phone

PhoneBy = Callable[[str], Live]


@pytest.fixture(scope="session")
def shared_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneBy]:
    """By link, started once. Fob's agent stays logged in: no late logout falls into what another program sends."""
    with ExitStack() as stack:

        @cache
        def phone_by(link: str) -> Live:
            live = stack.enter_context(live_phone(tmp_path_factory.mktemp(f"live-{link}"), link=link))
            live.run("ssh-add", "-T", str(live.ssh_key("P-256")))
            return live

        yield phone_by


@pytest.fixture(scope="session")
def spare_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhoneBy]:
    """By link, phones that may be killed or locked; whoever did puts them right again."""
    with ExitStack() as stack:
        yield cache(lambda link: stack.enter_context(live_phone(tmp_path_factory.mktemp(f"spare-{link}"), link=link)))


@pytest.fixture(scope="session")
def shared_phone(shared_phones: PhoneBy) -> Live:
    """The one on the serial line."""
    return shared_phones(SERIAL)


@pytest.fixture(scope="session")
def spare_phone(spare_phones: PhoneBy) -> Live:
    """The one on the serial line."""
    return spare_phones(SERIAL)


@pytest.fixture
def live(request: pytest.FixtureRequest, shared_phones: PhoneBy) -> Live:
    """A phone that its tests leave as it was: keys of their own they delete. Serial but for `over_both_links`."""
    return shared_phones(getattr(request, "param", SERIAL))
