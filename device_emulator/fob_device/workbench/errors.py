"""What the workbench cannot do."""


class BenchError(ValueError):
    """A number out of its bounds, a port or line that is not there; nothing has changed."""
