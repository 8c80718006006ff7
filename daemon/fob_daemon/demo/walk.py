"""The guided walk: each step is a real program that does not know Fob; after each, what crossed the link."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fob_daemon.demo.commands import running
from fob_daemon.demo.errors import DemoError, failed
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch

Say = Callable[[str], None]

STEP_TIME: Final = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One command line of the walk: what it shows, the program it needs, the Debian package that has it."""

    title: str
    command: str
    program: str
    package: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """The link's counters at one moment."""

    round_trips: int
    octets: int

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        return Traffic(self.round_trips - earlier.round_trips, self.octets - earlier.octets)


P11 = 'pkcs11-tool --module "$PKCS11_MODULE" --token-label "$PKCS11_TOKEN_LABEL"'

STEPS: Final = (
    Step(
        "List what the phone holds. The daemon knows it already: nothing crosses the link.",
        f"{P11} --list-objects --type pubkey",
        "pkcs11-tool",
        "opensc",
    ),
    Step(
        "Sign a file with the RSA key: one login, one signature. The file stays here, its digest travels.",
        f"{P11} --login --pin env:PKCS11_PIN --sign --mechanism SHA256-RSA-PKCS --id 01"
        " --input-file message --output-file rsa.sig",
        "pkcs11-tool",
        "opensc",
    ),
    Step(
        "Verify with OpenSSL, which has never heard of the phone.",
        "fob keys show RSA-2048 --pem > rsa.pem && openssl dgst -sha256 -verify rsa.pem -signature rsa.sig message",
        "openssl",
        "openssl",
    ),
    Step(
        "Sign with the P-256 key through OpenSSL's PKCS#11 engine, and verify.",
        'PKCS11_MODULE_PATH="$PKCS11_MODULE" openssl dgst -engine pkcs11 -keyform engine -sha256'
        ' -sign "pkcs11:token=$PKCS11_TOKEN_LABEL;object=P-256;type=private" -out p256.sig message'
        " && fob keys show P-256 --pem > p256.pem && openssl dgst -sha256 -verify p256.pem -signature p256.sig message",
        "openssl",
        "libengine-pkcs11-openssl",
    ),
    Step("The same keys through ssh's agent socket, Ed25519 included.", "ssh-add -l", "ssh-add", "openssh-client"),
    Step(
        "Sign a file as git signs a commit, and check it.",
        "fob keys show Ed25519 --ssh > ed25519.pub && ssh-keygen -q -Y sign -f ed25519.pub -n git message"
        ' && echo "you $(cat ed25519.pub)" > allowed && ssh-keygen -Y verify -f allowed -I you -n git -s message.sig'
        " < message",
        "ssh-keygen",
        "openssh-client",
    ),
)


class Walk:
    """Runs the steps in the scratch folder and tells what happened."""

    def __init__(self, scratch: Scratch, say: Say) -> None:
        self._scratch = scratch
        self._say = say
        tools = os.path.dirname(program("fob")[0])
        path = os.pathsep.join((tools, os.environ.get("PATH", os.defpath)))
        self._environment = os.environ | scratch.environment() | {"PATH": path}

    def run(self) -> None:
        """Every step. Raises DemoError for one that fails; one whose program is missing is named and left out."""
        (self._scratch.folder / "message").write_text("The key that signs this never left the phone.\n")
        for number, step in enumerate(STEPS, start=1):
            self._say("")
            self._say(f"{number}. {step.title}")
            if shutil.which(step.program) is None:
                self._say(f"   left out: {step.program} is not installed (apt install {step.package})")
                continue
            self._run(step)
        self._say("")
        self._say(f"Done. The private keys are in '{TOKEN_LABEL}' and nowhere else; this demo now removes it.")

    def traffic(self) -> Traffic:
        """What has crossed the link so far."""
        device = json.loads(self._shell("fob --json status"))["devices"][0]
        return Traffic(device["round_trips"], device["bytes_sent"] + device["bytes_received"])

    def _run(self, step: Step) -> None:
        before = self.traffic()
        self._say(f"   $ {step.command}")
        for line in self._shell(step.command).decode(errors="replace").splitlines():
            self._say(f"   {line}")
        crossed = self.traffic() - before
        self._say(f"   link: {crossed.round_trips} round trips, {crossed.octets} bytes")

    def _shell(self, command: str) -> bytes:
        null, pipe = subprocess.DEVNULL, subprocess.PIPE
        shell = ("/bin/sh", "-c", command)
        with running(shell, self._environment, folder=self._scratch.folder, stdin=null, output=pipe) as process:
            try:
                words, _ = process.communicate(timeout=STEP_TIME)
            except subprocess.TimeoutExpired:
                raise DemoError("a step of the walk has hung", f"after {STEP_TIME} s: {command}") from None
        if process.returncode:
            raise failed("a step of the walk failed", command, process.returncode, words)
        return words
