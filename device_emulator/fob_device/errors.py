"""Why fob-device does not start: three lines for the person who typed the command."""


class StartError(Exception):
    """What is wrong, why, and the command that helps; one line each."""

    def __init__(self, what: str, why: str, command: str) -> None:
        self.what = what
        self.why = why
        self.command = command
        super().__init__(f"{what}: {why}")
