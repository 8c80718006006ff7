"""A person whose git signs with the phone: configuration, key and files, by the programs `fob` and `git`."""

import asyncio
import subprocess
from pathlib import Path

from cli.fob_program import Ended, FobProgram
from control.fake_phone import PIN
from fob_daemon.cli.client import Client

EMAIL = "ada@example.org"
OWN_FILES = ("fob-ssh-keygen", "fob-allowed-signers", "fob-signing-key.pub")
CONFIG = f"# Ada's\n[user]\n    email={EMAIL}   # at work\n\tname = Ada Lovelace\n[core]\n  editor = vi"


async def new_key(fob: FobProgram, label: str, key_type: str = "ec:p256") -> str:
    """Made on the phone, as `fob keys new` asks for it; the public key as git gets it."""
    client = Client(fob.control)

    def made() -> str:
        key = client.post("keys", body={"device": "pixel", "type": key_type, "label": label, "pin": PIN.decode()})
        return str(client.get("keys", "pixel", key["id"])["ssh"])

    return " ".join((await asyncio.to_thread(made)).split()[:2])


def git(fob: FobProgram, *arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        ("git", *arguments), env=fob.variables(), cwd=folder or fob.folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def key_of_git(fob: FobProgram) -> str:
    """In the file that git's settings name."""
    return Path(git(fob, "config", "user.signingkey")).read_text().splitlines()[-1]


async def run_in(fob: FobProgram, folder: Path, *arguments: str) -> Ended:
    """`fob` in a folder of its own, as the tests' program knows none."""
    return await fob("-c", f"cd '{folder}' && exec fob {' '.join(arguments)}", program=("sh",))


def data(fob: FobProgram) -> Path:
    return fob.folder / ".local/share/fob"


def files_of_fob(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*fob-*") if path.is_file()]


def text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def remove(path: Path) -> None:
    path.unlink()


def replace_by_link(path: Path, real: Path) -> None:
    path.rename(real)
    path.symlink_to(real)


def is_link(path: Path) -> bool:
    return path.is_symlink()
