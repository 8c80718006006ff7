"""The distribution's p11-kit on this machine: its client module, its configuration files."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

CLIENT: Final = "p11-kit-client.so"
PACKAGE: Final = "p11-kit-modules"
MODULE_FILE: Final = "fob.module"
ADDRESS_VARIABLE: Final = "P11_KIT_SERVER_ADDRESS"

# Arguments with which pkcs11-tool asks for the security officer's PIN and for the user's new one.
SET_PIN: Final = "--login --login-type so --init-pin"

# Debian has a folder per architecture, Fedora lib64, Arch and Alpine lib.
_LIBRARY_FOLDERS: Final = ("usr/lib/*/pkcs11", "usr/lib64/pkcs11", "usr/lib/pkcs11", "usr/local/lib/pkcs11")
_SYSTEM_MODULES: Final = "usr/share/p11-kit/modules"

# p11-kit decodes percent signs in an address.
_ADDRESS_SAFE: Final = "/-._~"


def find_client(root: Path = Path("/")) -> Path | None:
    """The stock client module, None when p11-kit's modules are not installed."""
    return next(_clients(root), None)


def _clients(root: Path) -> Iterator[Path]:
    for folder in _LIBRARY_FOLDERS:
        yield from sorted(root.glob(f"{folder}/{CLIENT}"))


def address(provider: str) -> str:
    """What P11_KIT_SERVER_ADDRESS and `remote:` take."""
    return f"unix:path={quote(provider, safe=_ADDRESS_SAFE)}"


def pkcs11_tool(provider: str, label: str, arguments: str, root: Path = Path("/")) -> str:
    """The command line of pkcs11-tool at the token `label`, as a person can paste it; or how to install the module."""
    client = find_client(root)
    if client is None:
        return f"apt install {PACKAGE}, and then the same command again"
    place = f"{ADDRESS_VARIABLE}={shlex.quote(address(provider))}"
    return f"{place} pkcs11-tool --module {client} --token-label {shlex.quote(label)} {arguments}"


def module_path(uid: int, environment: Mapping[str, str], root: Path = Path("/")) -> Path:
    """Where this user's module file belongs. p11-kit skips root's own configuration, so root's is the system's."""
    if uid == 0:
        return root / _SYSTEM_MODULES / MODULE_FILE
    home = Path(environment["HOME"]) if "HOME" in environment else Path.home()
    configuration = environment.get("XDG_CONFIG_HOME")
    return (Path(configuration) if configuration else home / ".config") / "pkcs11/modules" / MODULE_FILE


def module_text(provider: str) -> str:
    """The module file's content (pkcs11.conf(5))."""
    return f"# Fob: the phone's keys for every program that uses p11-kit.\nremote: {address(provider)}\n"
