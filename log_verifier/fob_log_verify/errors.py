"""Why nothing can be said about a log."""


class UnreadableError(Exception):
    """A file that is not what it should be: what happened, why, and which command comes next."""

    def __init__(self, what: str, why: str, next_command: str) -> None:
        self.what = what
        self.why = why
        self.next_command = next_command
        super().__init__(f"{what}: {why}")
