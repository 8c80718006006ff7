"""The version of this installation."""


def own_version() -> str:
    """From the package's metadata; what reads it takes a third of asyncio's time to load, so it is loaded only now."""
    from importlib.metadata import version

    return version("fobd")
