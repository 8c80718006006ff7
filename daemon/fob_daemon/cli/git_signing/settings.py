"""git's settings as one change: made by git itself, and undone to the octet."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing
from fob_daemon.cli.git_signing.effective import kind_of, other_that_counts
from fob_daemon.cli.git_signing.git import Git, GitFailedError
from fob_daemon.cli.git_signing.record import UNKNOWN, Before, Record, digest, octets_of
from fob_daemon.cli.git_signing.scope import Scope
from fob_daemon.control.errors import ControlError


@dataclass(frozen=True, slots=True)
class GitSettings:
    """`settings` by name, in one scope."""

    git: Git
    scope: Scope
    record: Record
    settings: Mapping[str, str]

    @property
    def path(self) -> Path:
        """Which file."""
        return self.scope.config

    @property
    def what(self) -> str:
        """Which file."""
        return f"git config {self.scope.option} ({self.scope.config})"

    @property
    def undone(self) -> str:
        """Which file."""
        return f"put back {self.scope.config}"

    @property
    def content(self) -> Sequence[str]:
        """The commands that do the same; what was set otherwise behind them."""
        return [
            f"git config {self.scope.option} {name} {shlex.quote(value)}{self._instead_of(name)}"
            for name, value in self._due().items()
        ]

    def standing(self) -> Standing:
        """Raises ControlError."""
        return Standing.DUE if self.content or self._overridden() else Standing.DONE

    def keep(self) -> Callable[[], object]:
        """With what is known of the time before. Raises ControlError."""
        now, known = octets_of(self.scope.config), self.record.get(self.scope.config)

        def put_back() -> None:
            self._put_back(now)
            self.record.put(self.scope.config, known)

        return put_back

    def make(self) -> None:
        """Raises ControlError, and then all is as it was."""
        put_back = self.keep()
        now = octets_of(self.scope.config)
        before = self.record.get(self.scope.config) or Before(now, digest(now), {}, {})
        # Somebody has edited the file since: its octets are no longer what is put back.
        is_ours = digest(now) == before.after
        settings = {name: self._values(name) for name in self.settings} | dict(before.settings)
        kept = Before(before.octets, UNKNOWN, settings, {**before.ours, **self.settings})
        # First: should the rest not come to its end, it can still be taken back.
        self.record.put(self.scope.config, kept)
        try:
            for name, value in self._due().items():
                self._set(name, [value])
            if overridden := self._overridden():
                raise overridden
        except ControlError:
            put_back()
            raise
        if is_ours:
            self.record.put(self.scope.config, replace(kept, after=digest(octets_of(self.scope.config))))

    def _overridden(self) -> ControlError | None:
        other = other_that_counts(self.git, self.settings)
        if other is None:
            return None
        return ControlError("git would not sign with this key", other.why, f"{other.remedy}    (then the same command)")

    def undo(self) -> bool:
        """The file's octets of before; where somebody has edited it since, the settings alone. Raises ControlError."""
        before = self.record.get(self.scope.config)
        if before is None:
            return False
        if digest(octets_of(self.scope.config)) == before.after:
            self._put_back(before.octets)
        else:
            for name, old in before.settings.items():
                if self._values(name) == [before.ours.get(name)]:
                    self._set(name, old)
        self.record.put(self.scope.config, None)
        return True

    def _put_back(self, octets: bytes | None) -> None:
        if octets is not None:
            files.write(self.scope.config, octets.decode("utf-8", "surrogateescape"), files.PUBLIC)
        elif self.scope.config.exists():
            files.remove(self.scope.config)

    def _due(self) -> Mapping[str, str]:
        """Those that are not set so yet, in whatever spelling."""
        return {
            name: value
            for name, value in self.settings.items()
            if self.git.values(name, *kind_of(value), *self.scope.arguments) != [value]
        }

    def _instead_of(self, name: str) -> str:
        old = self._values(name)
        return f"    (instead of {', '.join(map(shlex.quote, old))})" if old else ""

    def _values(self, name: str) -> list[str]:
        return self.git.values(name, *self.scope.arguments)

    def _set(self, name: str, values: Sequence[str]) -> None:
        try:
            if self._values(name):
                self.git.run("config", *self.scope.arguments, "--unset-all", name)
            for value in values:
                self.git.run("config", *self.scope.arguments, "--add", name, value)
        except GitFailedError as error:
            why = f"{self.scope.config}: {error}"
            raise ControlError("git was not configured", why, f"git config {self.scope.option} --list") from None
