"""Several who want to hear that something changed, without a word what."""

from collections.abc import Callable
from dataclasses import dataclass, field

Listener = Callable[[], None]


@dataclass(slots=True, repr=False)
class Listeners:
    """Call it to tell all of them. A listener must not raise, and looks for itself at what is there now."""

    _listeners: list[Listener] = field(default_factory=list)

    def add(self, listener: Listener) -> Listener:
        """From now on `listener` is told; what comes back ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __call__(self) -> None:
        """Something changed."""
        for listener in list(self._listeners):
            listener()
