"""What can go wrong between two processes of the data centre."""


class BusRefusedError(Exception):
    """The other process says no, or a handler does: `why` is for people, `data` for the asker.

    `word` is for programs, one of fob_office.centre.words. No part of it ever holds a secret.
    """

    def __init__(self, word: str, why: str, data: bytes | None = None) -> None:
        self.word = word
        self.why = why
        self.data = data
        super().__init__(f"{word}: {why}")


class AwayError(Exception):
    """The other process could not be asked, or did not answer. `was_sent`: it may have done what it was asked."""

    def __init__(self, name: str, why: str, *, was_sent: bool) -> None:
        self.name = name
        self.why = why
        self.was_sent = was_sent
        super().__init__(f"{name}: {why}")


class DownError(AwayError):
    """Nothing listens where it should answer: its process does not run."""


class LateError(AwayError):
    """No answer came in time; the connection is kept."""


class PassError(Exception):
    """A pass is not taken. The text names the rule, and no key."""


class DirectoryError(Exception):
    """The directory cannot be read, or does not know a process."""
