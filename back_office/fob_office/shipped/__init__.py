"""Components that come with Fob: what a meter needs to say what a letter costs, and to draw its indicium (C7, C17)."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from wasmtime import wat2wasm

from fob_protocol.office.component import Kind
from fob_protocol.office.message import Version

_FOLDER: Final = files(__name__)
_MODULE: Final = ".wat"


class Shipped(msgspec.Struct, frozen=True):
    """An entry of components.toml. `dependencies`: the least version of each."""

    title: str
    version: Version
    file: str
    dependencies: dict[str, Version] = {}
    commands: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """By what its file is."""
        return Kind.MODULE if self.file.endswith(_MODULE) else Kind.DATA

    def content(self) -> bytes:
        """What a device holds of it."""
        octets = (_FOLDER / self.file).read_bytes()
        return assemble(octets.decode()) if self.kind is Kind.MODULE else octets


@cache
def shipped() -> dict[str, Shipped]:
    """All of them, by id."""
    entries = tomllib.loads((_FOLDER / "components.toml").read_text())
    return msgspec.convert(entries, dict[str, Shipped])


def assemble(text: str) -> bytes:
    """A module whose text stands behind that of values.wat. Raises wasmtime.WasmtimeError."""
    values = (_FOLDER / "values.wat").read_text()
    return bytes(wat2wasm(f"(module\n{values}\n{text})"))
