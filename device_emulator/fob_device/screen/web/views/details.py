"""A line with a name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """`is_code`: for machines, in letters of one width."""

    name: str
    value: str
    is_code: bool = False
