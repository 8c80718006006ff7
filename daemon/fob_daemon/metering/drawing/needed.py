"""Whether the packages that draw are there. Light: whoever loads the rest of this folder asks here first."""

from importlib.util import find_spec
from typing import Final

from fob_daemon.control.errors import ControlError

# By the name that Python loads it by.
_PACKAGES: Final = {
    "PIL": "pillow",
    "zxingcpp": "zxing-cpp",
    "fpdf": "fpdf2",
    "defusedxml": "defusedxml",
    "font_roboto": "font-roboto",
}


def check_packages() -> None:
    """Raises ControlError, which names the first that is missing and what installs all."""
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            why = f"the Python package '{package}' is not installed"
            raise ControlError("no indicium was drawn", why, "pip install 'fobd[meter]'")
