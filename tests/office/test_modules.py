"""What is released as a module could run on a device, or the operator hears why not before it is signed (C17)."""

import pytest
from wasmtime import wat2wasm

from fob_office.components.modules import wrong_with
from fob_office.errors import OperatorError
from fob_office.shipped import shipped
from fob_protocol.office.component import Kind
from support.office import OfficeScene
from support.office_shop import module, release

WELL = '(memory (export "memory") 1)'
FUNCTIONS = """
  (func (export "fob_alloc") (param i32) (result i32) (i32.const 0))
  (func (export "fob_call") (param i32 i32 i32) (result i64) (i64.const 0))
"""


def binary(*parts: str) -> bytes:
    return bytes(wat2wasm(f"(module {' '.join(parts)})"))


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no WebAssembly"),
        (b"garbage", "no WebAssembly"),
        (b"(module)", "no WebAssembly"),
        (b"\0asm\1\0\0", "no module for devices"),
        (binary()[:-1] + b"\xff", "no module for devices"),
        (binary("(memory 1) (memory 1)"), "no module for devices"),
        (binary('(import "env" "system" (func))', WELL, FUNCTIONS), r"imports env\.system"),
        (binary('(import "fob" "data_size" (func))', WELL, FUNCTIONS), r"imports fob\.data_size"),
        (binary(FUNCTIONS), "exports no memory"),
        (binary(WELL), "no function fob_alloc"),
        (binary(WELL, FUNCTIONS, '(func (export "fob_start"))'), "no function fob_start"),
        (binary('(memory (export "memory") 65536)', FUNCTIONS), "does not fit into a device"),
        (binary(WELL, FUNCTIONS, "(table 2000000000 funcref)"), "does not fit into a device"),
        (binary(WELL, FUNCTIONS, "(func $begin (loop (br 0)))", "(start $begin)"), "does not come to an end"),
    ],
)
def test_what_no_device_would_run_is_not_released(sqlite_scene: OfficeScene, content: bytes, why: str) -> None:
    with pytest.raises(OperatorError, match=why) as refused:
        release(sqlite_scene, "rates", octets=content, commands=("XRATE",))
    assert refused.value.what == "the component was not added"
    # As data it is what it is.
    release(sqlite_scene, "rates", octets=content, kind=Kind.DATA)


def test_a_module_without_commands_needs_no_exports() -> None:
    assert wrong_with(binary(), has_commands=False) == ""
    assert wrong_with(module(b"something", 200), has_commands=True) == ""


def test_a_start_that_asks_a_device_for_data_is_for_the_device_to_try() -> None:
    asking = binary(
        '(import "fob" "data_size" (func $size (param i32 i32) (result i32)))',
        "(func $begin (drop (call $size (i32.const 0) (i32.const 0))))",
        "(start $begin)",
    )
    assert wrong_with(asking, has_commands=False) == ""


def test_what_comes_with_fob_runs() -> None:
    for component in shipped().values():
        if component.kind is Kind.MODULE:
            assert wrong_with(component.content(), has_commands=bool(component.commands)) == ""
