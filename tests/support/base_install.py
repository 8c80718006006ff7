"""An installation of Fob without some of its extras."""

import os
from pathlib import Path
from typing import Final

# Python runs it when it starts. The import system's own finder of installed packages finds these no more.
HIDE: Final = """
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, *more: None if name in {packages!r} else find_spec(name, *more)
"""


def without(packages: tuple[str, ...], folder: Path) -> dict[str, str]:
    """The environment of a program for which these packages are not installed; `folder` is for what hides them."""
    (folder / "sitecustomize.py").write_text(HIDE.format(packages=packages))
    return os.environ | {"PYTHONPATH": str(folder)}
