"""What the tests need from the machine besides Python. A test that misses it fails, and names the Debian package."""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

# By program. Every package is in tools/debian-packages.txt, from which `make test` installs.
PROGRAMS: Final = {
    "certutil": "libnss3-tools",
    "chromium": "chromium",
    "chromium-headless-shell": "chromium-headless-shell",
    "dbus-daemon": "dbus-daemon",
    "git": "git",
    "initdb": "postgresql",
    "keytool": "default-jre-headless",
    "modutil": "libnss3-tools",
    "openssl": "openssl",
    "p11tool": "gnutls-bin",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "pg_ctl": "postgresql",
    "pg_dump": "postgresql",
    "pg_restore": "postgresql",
    "pkcs11-tool": "opensc",
    "psql": "postgresql",
    "runuser": "util-linux",
    "softhsm2-util": "softhsm2",
    "ssh": "openssh-client",
    "ssh-add": "openssh-client",
    "ssh-agent": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "systemd-analyze": "systemd",
    "systemd-socket-activate": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
}

P11_KIT_CLIENT: Final = "pkcs11/p11-kit-client.so"
SOFTHSM: Final = "softhsm/libsofthsm2.so"
OPENSSL_ENGINE: Final = "engines-3/pkcs11.so"

# By path in a folder of libraries.
LIBRARIES: Final = {
    P11_KIT_CLIENT: "p11-kit-modules",
    SOFTHSM: "softhsm2",
    OPENSSL_ENGINE: "libengine-pkcs11-openssl",
}

# Letters for pages: without any, a browser draws boxes, and nobody can judge a picture.
FONTS: Final = {"opentype/inter/Inter-Regular.otf": "fonts-inter"}

# Debian has a folder per architecture beside the common one.
LIBRARY_FOLDERS: Final = ("/usr/lib/*", "/usr/lib", "/usr/lib64")
# The path of most people does not lead to servers, and nobody's to PostgreSQL's own.
SERVER_FOLDERS: Final = "/usr/local/sbin:/usr/sbin:/sbin"
POSTGRESQL_FOLDERS: Final = "usr/lib/postgresql/*/bin"


def program(name: str) -> str:
    """The path of a program of PROGRAMS."""
    postgresql = ":".join(map(str, sorted(Path("/").glob(POSTGRESQL_FOLDERS), reverse=True)))
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SERVER_FOLDERS}:{postgresql}")
    return path or _missing(name, PROGRAMS[name])


def library(name: str) -> Path:
    """The path of a library of LIBRARIES."""
    found = (path for folder in LIBRARY_FOLDERS for path in sorted(Path("/").glob(f"{folder[1:]}/{name}")))
    return next(found, None) or _missing(name, LIBRARIES[name])


def check_program(name: str) -> None:
    """For whoever starts all sorts of programs: those that PROGRAMS does not name are let pass."""
    if name in PROGRAMS:
        program(name)


def _missing(what: str, package: str) -> NoReturn:
    pytest.fail(f"{what} is missing: apt install {package}, or `make packages` for all that the tests need")
