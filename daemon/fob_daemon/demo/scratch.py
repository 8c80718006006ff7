"""The scratch folder of a demo: its files, and what programs need to find it."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.p11_kit import ADDRESS_VARIABLE, CLIENT, address, find_client

TOKEN_LABEL: Final = "demo-phone"  # noqa: S105 - a label


@dataclass(frozen=True, slots=True)
class Scratch:
    """One demo's folder and PINs."""

    folder: Path
    user_pin: str
    so_pin: str

    @classmethod
    def in_folder(cls, folder: Path) -> "Scratch":
        """Fresh PINs for a fresh folder."""
        return cls(folder, *(f"{secrets.randbelow(10**6):06}" for _ in range(2)))

    def __repr__(self) -> str:
        """Without the PINs."""
        return f"Scratch({self.folder})"

    @property
    def line(self) -> Path:
        """The phone's serial device."""
        return self.folder / "line"

    @property
    def air(self) -> Path:
        """The virtual radio's socket, and beside it that of its control."""
        return self.folder / "air"

    @property
    def air_control(self) -> Path:
        """Where distance and loss are set."""
        return self.folder / "air.control"

    @property
    def phone(self) -> Path:
        """The phone's memory."""
        return self.folder / "phone"

    @property
    def office(self) -> Path:
        """The back office's state."""
        return self.folder / "office"

    @property
    def rules(self) -> Path:
        """The phone's headless person."""
        return self.folder / "rules.toml"

    @property
    def config(self) -> Path:
        """The daemon's configuration."""
        return self.folder / "fobd.toml"

    def socket(self, name: str) -> Path:
        """The daemon's provider, agent or control socket."""
        return self.folder / f"{name}.sock"

    def write_files(self, configuration: str = "", person: str = "") -> None:
        """Rules and configuration; `configuration` is what the link adds, `person` what its person does too, TOML."""
        rules = f'pairing = "accept"\npin = "{self.user_pin}"\nso_pin = "{self.so_pin}"\n{person}'
        self.rules.write_text(rules)
        self.rules.chmod(0o600)
        sockets = "\n".join(
            f"{name} = {json.dumps(str(self.socket(name)))}" for name in ("provider", "agent", "control")
        )
        self.config.write_text(
            f"state = {json.dumps(str(self.folder / 'daemon'))}\n[sockets]\n{sockets}\n{configuration}"
        )

    def environment(self) -> dict[str, str]:
        """What a program needs to reach this demo's phone."""
        return {
            ADDRESS_VARIABLE: address(str(self.socket("provider"))),
            "PKCS11_MODULE": str(find_client() or CLIENT),
            "PKCS11_TOKEN_LABEL": TOKEN_LABEL,
            "PKCS11_PIN": self.user_pin,
            "PKCS11_SO_PIN": self.so_pin,
            "SSH_AUTH_SOCK": str(self.socket("agent")),
            "FOB_CONTROL_SOCKET": str(self.socket("control")),
            "FOB_OFFICE_STATE": str(self.office),
        }
