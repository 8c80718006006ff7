"""One method on one path, and what it asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from fob_daemon.control.fields import Fields

Request = TypeVar("Request", covariant=True)


@dataclass(frozen=True, slots=True)
class Route(Generic[Request]):
    """`build` is given the parts of the path that stand in braces, and the fields of query or body."""

    method: str
    path: str
    build: Callable[[Mapping[str, str], Fields], Request]

    def match(self, segments: list[str]) -> Mapping[str, str] | None:
        """What stands in the braces, None for another path."""
        wanted = self.path.split("/")
        if len(wanted) != len(segments):
            return None
        found = {}
        for pattern, segment in zip(wanted, segments, strict=True):
            if pattern.startswith("{"):
                found[pattern.strip("{}")] = segment
            elif pattern != segment:
                return None
        return found
