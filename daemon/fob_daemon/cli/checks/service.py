"""The daemon as a service: is it there when somebody needs it?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.setting_up.systemd import is_enabled, listen, read_units, systemd_changes
from fob_daemon.cli.starting import BY_HAND

# Where a machine's own service is enabled.
_OF_THE_MACHINE: Final = "etc/systemd/system/multi-user.target.wants/fobd.service"


@dataclass(frozen=True, slots=True)
class Enable:
    """Units and links; systemd listens at once unless a daemon that somebody has started has the sockets."""

    machine: Machine

    @property
    def lines(self) -> Sequence[str]:
        """Every file."""
        return (*self._files.lines, "$ systemctl --user daemon-reload")

    def apply(self) -> None:
        """Raises ControlError."""
        self._files.apply()
        if self.machine.status is None:
            listen(self.machine.environment)
        else:
            read_units(self.machine.environment)

    @property
    def _files(self) -> Write:
        return Write(tuple(systemd_changes(self.machine.person)))


def check_service(machine: Machine) -> Iterator[Finding]:
    """By the person's systemd, or the machine's."""
    if not machine.has_systemd:
        yield _by_hand(machine)
    elif is_enabled(machine.person):
        yield Finding(Outcome.OK, "service", "systemd listens for the daemon, and starts it")
    elif (machine.root / _OF_THE_MACHINE).exists():
        yield Finding(Outcome.OK, "service", "the machine's systemd starts the daemon")
    else:
        why = "programs find the phone only while somebody has started it by hand"
        yield Finding(Outcome.WARN, "the daemon does not start by itself", why, "fob setup", Enable(machine))


def _by_hand(machine: Machine) -> Finding:
    if is_enabled(machine.person):
        why = "its units are in place, and no systemd runs here"
        return Finding(Outcome.WARN, "the daemon does not start by itself", why, BY_HAND)
    return Finding(
        Outcome.SKIP, "service", "no systemd runs here: the daemon runs while somebody has started it", BY_HAND
    )
