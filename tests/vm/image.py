"""The guest's image: built once, and found again under the hash of everything that it was built from."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vm.errors import VmError

ROOT: Final = Path(__file__).parents[2]
RECIPE: Final = Path(__file__).parent / "image"

# Measured: about 65 s. A registry that does not answer is noticed.
BUILD_TIME: Final = 900
UNFINISHED: Final = "new-"


@dataclass(frozen=True, slots=True)
class Image:
    """Three files in a folder of the cache."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system."""
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        """Debian's kernel."""
        return self.folder / "kernel"

    @property
    def ram_disk(self) -> Path:
        """The modules that reach the root file system."""
        return self.folder / "initrd"


def cache_folder() -> Path:
    """Where images are kept; `make clean` leaves them."""
    if own := os.environ.get("FOB_VM_CACHE"):
        return Path(own)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "fob-vm"


def find_image() -> Image | None:
    """The image that this tree wants, if it has been built."""
    image = Image(cache_folder() / key())
    return image if image.folder.is_dir() else None


def build_image() -> Image:
    """Build the image that this tree wants; the images of other trees are removed. Raises VmError."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    image = Image(cache / key())
    new = Path(tempfile.mkdtemp(dir=cache, prefix=UNFINISHED))
    try:
        (new / "requirements.txt").write_text(requirements())
        command = [str(RECIPE / "make-image"), sys.executable, str(new / "requirements.txt"), str(new)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_TIME, check=False
        )
        if done.returncode:
            raise VmError(f"the image was not built:\n{done.stdout}")
        for old in cache.iterdir():
            if not old.name.startswith(UNFINISHED):
                shutil.rmtree(old)
        new.rename(image.folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return image


def key() -> str:
    """The name of the image: a hash of its recipe and of the Python packages it has."""
    hashed = hashlib.sha256(requirements().encode())
    for path in sorted(RECIPE.iterdir()):
        hashed.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()[:16]


def requirements() -> str:
    """What `pip install fobd[bluetooth,uvloop]` needs beside fobd itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    return "\n".join([*project["dependencies"], *optional["bluetooth"], *optional["uvloop"]]) + "\n"
