"""What holds for all tests: clause markers name requirements that exist, and hypothesis repeats itself."""

import gc
import os
import signal
import sys
import tomllib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support.memory_disk import use_memory
from support.run_order import longest_first

if TYPE_CHECKING:
    from support.postgresql import Cluster

# Before pytest makes its folder.
use_memory()

# Some environments forbid bytecode; then each program that a test starts, and each worker, compiles all it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The same cases in every run, however busy the machine is; a failure prints what repeats it.
settings.register_profile(
    "repeat",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
# For `make fuzz`: other cases in every run, and ten times as many; what failed is kept and tried first.
settings.register_profile(
    "explore", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("FOB_HYPOTHESIS", "repeat"))

# A run in the background of a script ignores Ctrl-C, and one by nohup the end of its terminal; so would every program
# that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

CLAUSES = Path(__file__).with_name("clauses.toml")


def known_clauses() -> set[str]:
    """Every clause id of tests/clauses.toml."""
    sections = tomllib.loads(CLAUSES.read_text(encoding="utf-8")).values()
    return {clause for section in sections for clause in section["clauses"]}


def unknown_clauses(items: Iterable[pytest.Item], known: set[str]) -> list[str]:
    """One sentence for each id in a marker that is not known."""
    return [
        f"{item.nodeid}: unknown clause {clause!r}; tests/clauses.toml lists the ids"
        for item in items
        for marker in item.iter_markers("clause")
        for clause in marker.args
        if clause not in known
    ]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing of ten thousand tests is garbage; to look for it again and again takes a sixth of finding them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if problems := unknown_clauses(items, known_clauses()):
        raise pytest.UsageError(*problems)
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


@pytest.fixture(scope="session")
def cluster() -> "Iterator[Cluster]":
    """One PostgreSQL for all tests of a process, started by the first that needs it."""
    # Most runs of a few tests need none.
    from support.postgresql import running_cluster

    with running_cluster() as running:
        yield running
