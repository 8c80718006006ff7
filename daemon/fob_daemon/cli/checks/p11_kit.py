"""The p11-kit client that programs load: its protocol version, the mechanisms it drops, the module file."""

import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.programs import COMMAND_TIME, output_of
from fob_daemon.control.errors import ControlError
from fob_daemon.p11_kit import ADDRESS_VARIABLE, CLIENT, PACKAGE, address, find_client, module_path, module_text

# The client sends this byte first. It is what the loaded library can do, whatever a package list says.
RELEASES: Final = {0: "0.24.1 or older", 1: "0.25.0 to 0.25.5", 2: "0.25.6 or newer"}

# What the client's serialiser does not list never leaves it.
DROPPED_ALWAYS: Final = "EDDSA (Ed25519), AES key wrap, HKDF, SHA-3"
DROPPED_BY_OLD: Final = (
    "ECDH1_DERIVE, ECDSA_SHA224 to 512, SHAxxx_RSA_PKCS_PSS, SHA224_RSA_PKCS, AES_CBC, AES_CTR, AES_GCM, "
    + DROPPED_ALWAYS
)

_INSTALL: Final = "fob p11 install"

# Loads a module and calls C_Initialize: CK_FUNCTION_LIST begins with a version, then comes that function.
_LOAD: Final = """
import ctypes, sys
module = ctypes.CDLL(sys.argv[1])
functions = ctypes.c_void_p()
module.C_GetFunctionList(ctypes.byref(functions))
initialize = ctypes.c_void_p.from_address(functions.value + ctypes.sizeof(ctypes.c_void_p)).value
ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)(initialize)(None)
"""


def check_client(machine: Machine) -> Iterator[Finding]:
    """Which p11-kit clients load, and what it will drop."""
    client = find_client(machine.root)
    if client is None:
        why = "it is what PKCS#11 programs load to reach the daemon"
        yield Finding(Outcome.FAIL, f"{CLIENT} is not installed", why, f"apt install {PACKAGE}")
        return
    version = offered_version(client)
    if version is None:
        yield Finding(Outcome.SKIP, "p11-kit", f"{client} did not say its version")
        return
    release = RELEASES.get(version, "newer than this program knows")
    yield Finding(Outcome.OK, "p11-kit", f"{client}: RPC version {version}, p11-kit {release}{_package()}")
    if version == 0:
        yield Finding(
            Outcome.WARN,
            "PKCS#11 programs do not see every mechanism",
            f"this p11-kit drops {DROPPED_BY_OLD}",
            "p11-kit 0.25 or newer; Ed25519 only by the agent: fob ssh config",
        )
    else:
        yield Finding(
            Outcome.OK, "mechanisms", f"PKCS#11 programs see all but {DROPPED_ALWAYS}", "Ed25519: fob ssh config"
        )


def check_module_file(machine: Machine) -> Iterator[Finding]:
    """Do p11-kit programs find the provider socket?"""
    path = module_path(machine.uid, machine.environment, machine.root)
    what = "p11-kit does not lead programs to the daemon"
    try:
        change = module_file(path, module_text(str(machine.provider)))
        standing = change.standing()
    except ControlError as error:
        yield Finding(Outcome.WARN, what, f"{path}: {error.why}", error.next_command)
        return
    if standing is Standing.DONE:
        yield Finding(Outcome.OK, "module file", str(path))
    elif standing is Standing.FOREIGN:
        why = f"fob did not write what is in {path}"
        yield Finding(Outcome.WARN, what, why, "move it away, and then: fob p11 install")
    elif not path.exists():
        yield Finding(Outcome.WARN, what, f"{path} is not there", _INSTALL, Write((change,)))
    else:
        what = "p11-kit leads programs to another socket than this daemon's"
        yield Finding(Outcome.WARN, what, f"{path} names it, or none", _INSTALL, Write((change,)))


def module_file(path: Path, text: str) -> OwnFile:
    """The change that makes it; one that was emptied holds nothing of anybody's. Raises ControlError."""
    found = files.read(path)
    return OwnFile(path, text, is_known=found is not None and not found.strip())


def offered_version(client: Path) -> int | None:
    """The first byte that the client module sends, None when it sends none."""
    with tempfile.TemporaryDirectory(prefix="fob-doctor-") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/p11"
        listener.bind(path)
        listener.listen()
        listener.settimeout(COMMAND_TIME)
        loading = threading.Thread(
            target=output_of,
            args=((sys.executable, "-c", _LOAD, str(client)), {**os.environ, ADDRESS_VARIABLE: address(path)}),
        )
        loading.start()
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(COMMAND_TIME)
                first = connection.recv(1)
        except OSError:
            return None
        finally:
            listener.close()
            loading.join()
        return first[0] if first else None


def _package() -> str:
    """The exact version, where a package manager knows it."""
    commands = (("dpkg-query", "-W", "-f", "${Version}", "libp11-kit0"), ("rpm", "-q", "--qf", "%{VERSION}", "p11-kit"))
    found = next((text for command in commands if (text := output_of(command))), "")
    return f" (package {found})" if found else ""
