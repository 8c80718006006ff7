"""A process that is told to start anew, as its settings changed, has not crashed: it is there again at once."""

import signal
from collections.abc import Iterator

import pytest

from support.running_centre import RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

# One of each kind, and no more.
SMALL = ("--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")
NAME = "function-1"
# With a pause that doubled each time, the last of them would come back after a quarter of a minute.
TIMES = 8


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentre]:
    with running_centre(tmp_path_factory.mktemp("c") / "o", *SMALL) as made:
        yield made


def pauses(centre: RunningCentre) -> list[str]:
    """Of the function server, as the log has them."""
    lines = [line for line in centre.log.read_text().splitlines() if "a process ended" in line and NAME in line]
    return [word for line in lines for word in line.split() if word.startswith("pause=")]


@pytest.mark.clause("M32")
def test_value_kinds_one_after_another_are_no_crashes(centre: RunningCentre) -> None:
    pids = {centre.of(NAME).pid}
    for _ in range(TIMES):
        centre.tell("value-kind", "add", "eur-cent")
        pids.add(centre.of(NAME).pid)
    assert len(pids) == 1 + TIMES
    assert pauses(centre) == []
    assert (centre.of(NAME).state, centre.of(NAME).restarts) == ("ready", 0)


@pytest.mark.clause("M33")
def test_what_ends_untold_waits_longer_each_time_however_it_ended(centre: RunningCentre) -> None:
    for times, number in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGTERM), 1):
        pid = centre.signal(NAME, number)
        until(lambda pid=pid: centre.of(NAME).state == "ready" and centre.of(NAME).pid != pid)  # type: ignore[misc]
        assert centre.of(NAME).restarts == times
    # Nobody had told it to start anew: by SIGTERM it ends with status 0, and that again and again is a loop too.
    assert pauses(centre) == ["pause=0.1", "pause=0.2", "pause=0.4"]
    # The pauses are neither longer nor shorter for it.
    centre.tell("value-kind", "add", "eur-cent")
    assert centre.of(NAME).restarts == 3


@pytest.mark.clause("M33")
def test_a_data_centre_without_its_only_function_server_is_not_ready(centre: RunningCentre) -> None:
    until(lambda: centre.status().is_ready)
    centre.kill(NAME)
    # A pause of most of a second follows.
    until(lambda: centre.of(NAME).state == "ended")
    said = centre.status()
    assert next(one.state for one in said.processes if one.name == NAME) == "ended"
    assert not said.is_ready
