"""What a scenario works with: the guest, the radio, phones of its own, and Fob installed in the guest as systemd's."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from vm.guest_shell import Guest
from vm.programs import USER_PIN, Phone, Radio

SOCKETS: Final = "fobd-provider.socket fobd-agent.socket fobd-control.socket"
MODULE: Final = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"

# As systemd/README.md says, line by line; the job's root is no member of fob, so it is let in by its user id.
INSTALL: Final = """
set -e
install -D -m 644 /fob/systemd/sysusers.d/fob.conf /etc/sysusers.d/fob.conf
install -D -m 644 /fob/systemd/tmpfiles.d/fob.conf /etc/tmpfiles.d/fob.conf
install -m 644 -t /etc/systemd/system /fob/systemd/system/*
systemd-sysusers && systemd-tmpfiles --create
printf '[sockets]\\nallowed_uids = [0]\\n' >/etc/fob/fobd.toml
systemctl daemon-reload
systemctl enable --now fobd.service
"""

# Everything that an earlier scenario may have left on the PC's side.
CLEAR: Final = f"""
systemctl stop fobd.service {SOCKETS}
rm -rf /var/lib/fob/* /var/lib/fob/.[!.]*
for device in $(bluetoothctl devices | cut -d' ' -f2); do bluetoothctl remove "$device"; done
systemctl reset-failed
systemctl start {SOCKETS} fobd.service
"""

# `curl` and not `fob`: it is asked often.
STATUS: Final = "curl --silent --unix-socket /run/fob/control.sock http://fob/v1/status"

# Without hardware support a command of ours takes a second or two to start.
LINK_TIME: Final = 40.0
# Three tries to connect, with pauses.
EXPLAIN_TIME: Final = 90.0
POLL: Final = 0.2


@dataclass(slots=True)
class Bench:
    """One boot, for many scenarios."""

    guest: Guest
    radio: Radio
    folder: Path
    log: IO[str]

    def install(self) -> None:
        """Install the units, once in a boot."""
        self.guest.check(INSTALL)

    def clear(self) -> None:
        """A computer that knows no phone."""
        self.guest.check(CLEAR)

    @contextmanager
    def phone(self, label: str) -> Iterator[Phone]:
        """A new phone that is on."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            phone = Phone(label, self.radio, Path(folder), self.log)
            try:
                phone.switch_on()
                yield phone
            finally:
                phone.kill()

    def fob(self, command: str, *, timeout: float = 60.0) -> Any:
        """What `fob --json COMMAND` answers."""
        said = "{ status=$?; cat /tmp/said; exit $status; }"
        output = self.guest.check(f"fob --json {command} 2>/tmp/said || {said}", timeout=timeout)
        return json.loads(output) if output.strip() else None

    def pair(self, phone: Phone) -> str:
        """Find the phone on the air and pair with it; its URL."""
        url = self.find(phone)
        self.fob(f"pair {url} --yes", timeout=90.0)
        return url

    def find(self, phone: Phone) -> str:
        """The URL of a phone on the air."""
        # The daemon loads its Bluetooth library with the first scan, which takes longer here than `fob` waits.
        self.guest.until("fob devices --scan", timeout=LINK_TIME)
        found = self.fob("devices --scan")["devices"]
        # An advertisement has room for the beginning of the name.
        urls: list[str] = [
            device["url"] for device in found if device["name"] and phone.label.startswith(device["name"])
        ]
        assert len(urls) == 1, f"{phone.label} is not among {found}"
        return urls[0]

    def device(self) -> dict[str, Any]:
        """What the daemon says of the one device that it knows."""
        (device,) = json.loads(self.guest.check(STATUS))["devices"]
        return dict(device)

    def await_ready(self) -> float:
        """Wait until the link is ready; the seconds it took."""
        return self._await("state", lambda state: state == "ready", LINK_TIME)

    def await_away(self) -> float:
        """Wait until the daemon has noticed that the phone is gone; the seconds it took."""
        return self._await("state", lambda state: state != "ready", LINK_TIME)

    def await_why(self, words: str) -> float:
        """Wait until the daemon gives these words as the reason why it has no link; the seconds it took."""
        return self._await("why", lambda why: words in why, EXPLAIN_TIME)

    def note(self, words: str) -> None:
        """Something measured, for whoever reads the log."""
        self.log.write(f"--- {words}\n")

    def _await(self, field: str, is_so: Callable[[str], bool], timeout: float) -> float:
        begin = time.monotonic()
        while not is_so(self.device()[field]):
            if time.monotonic() - begin > timeout:
                raise AssertionError(f"in {timeout:.0f} s it did not come to it: {self.device()}")
            time.sleep(POLL)
        return time.monotonic() - begin

    def new_key(self, label: str) -> None:
        """A P-256 key on the phone."""
        self.fob(f"keys new --type ec:p256 --label {label}")

    def pkcs11_tool(self, arguments: str, *, timeout: float = 60.0) -> str:
        """The stock PKCS#11 client, with p11-kit's module."""
        return self.guest.check(f"pkcs11-tool --module {MODULE} {arguments}", timeout=timeout)

    def sign(self, key: str) -> None:
        """Sign a file with the stock client and check the signature with OpenSSL, which knows no phone."""
        self.guest.check(f"date >/tmp/message; fob keys show {key} --pem >/tmp/{key}.pem")
        self.pkcs11_tool(
            f"--login --pin {USER_PIN} --sign --mechanism ECDSA-SHA256 --signature-format openssl --label {key}"
            " --input-file /tmp/message --output-file /tmp/signature"
        )
        self.guest.check(f"openssl dgst -sha256 -verify /tmp/{key}.pem -signature /tmp/signature /tmp/message")
