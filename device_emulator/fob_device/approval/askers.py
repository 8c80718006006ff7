"""Who waits for the person's answer, and whether they are there to have it."""

import asyncio
from dataclasses import dataclass, field

from fob_device.listeners import Listener, Listeners


@dataclass(slots=True, eq=False)
class Asker:
    """The computer's end of one request.

    Away from the end of the session that the request came in until a later one recalls it (FOBRECALL), and while the
    computer is silent: nobody may ever want the answer, so that what the person said yes to is not done.
    """

    on_change: Listeners = field(default_factory=Listeners)
    _is_there: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._is_there.set()

    @property
    def is_away(self) -> bool:
        """True while nobody may want the answer."""
        return not self._is_there.is_set()

    def leave(self) -> None:
        """The session has ended, or the computer is silent."""
        if not self.is_away:
            self._is_there.clear()
            self.on_change()

    def come_back(self) -> None:
        """A later session recalled the request, or the computer is heard again."""
        if self.is_away:
            self._is_there.set()
            self.on_change()

    async def returned(self) -> None:
        """Wait while it is away; when this is over nothing has run in between."""
        while self.is_away:
            await self._is_there.wait()


@dataclass(slots=True, eq=False)
class Askers:
    """All who wait for one answer. `changed` is told when they become more or fewer, leave or come back."""

    changed: Listener = field(default=lambda: None, repr=False)
    _forget: dict[Asker, Listener] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._forget)

    @property
    def is_one_there(self) -> bool:
        """True while somebody would have the answer."""
        return not all(asker.is_away for asker in self._forget)

    @property
    def are_away(self) -> bool:
        """True while all who wait are away."""
        return bool(self._forget) and not self.is_one_there

    def join(self, asker: Asker) -> None:
        """One more waits."""
        self._forget[asker] = asker.on_change.add(lambda: self.changed())
        self.changed()

    def leave(self, asker: Asker) -> None:
        """One waits no more."""
        self._forget.pop(asker)()
        self.changed()
