"""The back office of a demo: founded in the scratch folder, with an order for the phone that a factory makes there."""

import json
import os
import re
import time
from collections.abc import Sequence
from typing import Final

from fob_daemon.demo.commands import run_to_end
from fob_daemon.demo.errors import DemoError, failed
from fob_daemon.demo.processes import Processes, program
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.walk import Say

HARDWARE: Final = "fob-phone-1"
SERIAL: Final = "DEMO-0001"
# What an order names; the components that these lean on come with them.
OPTIONS: Final = ("postage-rates", "postal-zones", "indicium-layout", "customer-profile")
# Of each kind of the data centre's processes one, but of meter boxes: the other has what the killed one did.
CENTRE: Final = tuple(
    word for kind in ("authentication-boxes", "transaction-boxes", "function-servers") for word in (f"--{kind}", "1")
)
# A set of six components over a slow machine's virtual radio.
CONFIGURE_TIME: Final = 60.0
_LOOK_AGAIN: Final = 0.3


class DemoOffice:
    """What operator and factory do, each by the programs that they would use."""

    def __init__(self, processes: Processes, say: Say, options: Sequence[str] = OPTIONS) -> None:
        self._processes = processes
        self._scratch: Scratch = processes.scratch
        self._say = say
        self._options = options

    def found(self) -> str:
        """An office with components, open; what the daemon's configuration needs of it, TOML. Raises DemoError."""
        self._begin()
        return self._open()

    def found_with_centre(self, *terms: str) -> str:
        """As `found`, with a data centre that sells by these terms (options of `centre init`). Raises DemoError."""
        self._begin()
        self._say("It gets a data centre: secure boxes and servers, each a process with keys of its own ...")
        self._office("centre", "init", *CENTRE, *terms)
        self._say("All of it starts, and the boxes agree on who keeps which meter ...")
        return self._open()

    def _begin(self) -> None:
        self._say("Opening a back office: keys, database, servers, and a certificate for this machine ...")
        self._office("init", "--listen", "127.0.0.1:0")
        self._say("Its operator adds the components that come with Fob: programs and data for a meter ...")
        self._office("component", "add", "--shipped", "--hardware", HARDWARE)

    def _open(self) -> str:
        arguments = ["run", "--state", str(self._scratch.office)]
        status = self._processes.start("office", program("fob-office", *arguments))
        (url,) = re.findall(r"https://\S+", status)
        certificate = self._scratch.office / "tls" / "ca.pem"
        return f"[office]\nurl = {json.dumps(url)}\nca_file = {json.dumps(str(certificate))}\n"

    def make_and_order(self) -> None:
        """The phone gets its system key and serial number, and an order. Raises DemoError."""
        self._say("A factory gives the phone its system key and serial number; it is like any other of its kind ...")
        record, certificate = self._scratch.folder / "record", self._scratch.folder / "certificate"
        self._office("server", "certificate", "configuration", "--output", str(certificate))
        issuer = json.loads(self._office("issuer", "show", "--json"))["public_key"]
        self._run(
            "fob-device", "factory", "--state", str(self._scratch.phone), "--issuer", issuer, "--serial", SERIAL,
            "--server-certificate", str(certificate), "--hardware", HARDWARE, "--record", str(record),
        )  # fmt: skip
        self._say(f"Somebody orders it with {', '.join(self._options)} ...")
        self._office("order", "create", SERIAL, *self._options, "--record", str(record))

    def await_configured(self) -> None:
        """Until the phone, of itself, runs what was ordered. Raises DemoError."""
        self._say(
            "Nobody presses a key: the phone asks its office, and this computer carries what both have sealed ..."
        )
        end = time.monotonic() + CONFIGURE_TIME
        while not (options := json.loads(self._processes.fob("--json", "options", "list"))["options"]):
            if time.monotonic() > end:
                raise DemoError("the phone was not configured", f"after {CONFIGURE_TIME:.0f} s", "fob office status")
            time.sleep(_LOOK_AGAIN)
        self._say(f"It runs {len(options)} components.")

    def _office(self, *arguments: str) -> bytes:
        return self._run("fob-office", *arguments, "--state", str(self._scratch.office))

    def _run(self, *command: str) -> bytes:
        done = run_to_end(program(*command), os.environ)
        if done.returncode:
            raise failed(f"{command[0]} {command[1]} failed", "it", done.returncode, done.stderr)
        return done.stdout
