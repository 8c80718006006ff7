"""A page that says one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """In a few words, and in a sentence."""

    icon: str
    title: str
    words: str
