"""Letters to frank, and what is drawn of them."""

from pathlib import Path

from fob_protocol.metering.pictures import read_picture

LETTER = ("--to", "20095", "--address", "Erika 1, Hamburg", "--weight", "20")


def a_batch(path: Path, count: int) -> str:
    """A file with so many letters."""
    lines = [f'20095,"Erika {number}, Hamburg",20' for number in range(count)]
    path.write_text("\n".join(("to,address,weight", *lines)) + "\n")
    return str(path)


def pictures(folder: Path, kind: str) -> list[Path]:
    """What was drawn."""
    return list(folder.glob(f"*.{kind}"))


def codes_on(picture: str) -> int:
    """As the post reads a scan of it."""
    return len(read_picture(Path(picture).read_bytes()))
