"""The phones that the tests of this folder share; a module whose tests need another one starts its own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fob_daemon.demo.scratch import CLIENT_MODULES
from support.live import Live, live_phone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests say which programs they start by `needs`; whoever has not installed them hears which."""
    if not any(Path(module).exists() for module in CLIENT_MODULES):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="the package p11-kit-modules is not installed"))


@pytest.fixture(scope="session")
def shared_phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Started once. Fob's agent stays logged in, so that no program's late logout falls into what another one sends."""
    with live_phone(tmp_path_factory.mktemp("live")) as live:
        live.run("ssh-add", "-T", str(live.ssh_key("P-256")))
        yield live


@pytest.fixture(scope="session")
def spare_phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone that may be killed or locked; whoever did puts it right again."""
    with live_phone(tmp_path_factory.mktemp("spare")) as live:
        yield live


@pytest.fixture
def live(shared_phone: Live) -> Live:
    """A phone that its tests leave as it was: keys of their own they delete."""
    return shared_phone


@pytest.fixture
def needs() -> Callable[..., None]:
    """Skips a test whose programs are not installed."""

    def check(*programs: str) -> None:
        for name in programs:
            if shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin") is None:
                pytest.skip(f"{name} is not installed")

    return check
