"""Modules under bounds: each way to misbehave ends in its own error, and the next call works."""

import pytest
from wasmtime import wat2wasm

from fob_device.components.runtime.errors import RunError, RunFault, WrongParametersError
from fob_device.components.runtime.limits import CALL_LIMIT
from fob_device.components.runtime.module import RunnableModule
from fob_protocol.cose.cbor import encode
from fob_protocol.office.modules import MODULE_MEMORY

RATES = {"rates": b"1234567890"}

# Says its values again: the least that a module with commands needs.
ECHO = """
  (memory (export "memory") 1)
  (func (export "fob_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "fob_call") (param $command i32) (param $at i32) (param $size i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $size))))
"""


FUNCTIONS = (
    '(func (export "fob_alloc") (param i32) (result i32) (i32.const 0))',
    '(func (export "fob_call") (param i32 i32 i32) (result i64) (i64.const 0))',
)


def binary(text: str) -> bytes:
    return bytes(wat2wasm(text))


def module(*parts: str, data: dict[str, bytes] | None = None) -> RunnableModule:
    return RunnableModule(binary(f"(module {' '.join(parts)})"), data or {}, has_commands=True)


def calling(body: str, *parts: str, data: dict[str, bytes] | None = None, memory: str = "1") -> RunnableModule:
    """A module whose one command does `body`."""
    return module(
        *parts,
        f'(memory (export "memory") {memory})',
        '(func (export "fob_alloc") (param i32) (result i32) (i32.const 1024))',
        f'(func $call (export "fob_call") (param i32 i32 i32) (result i64) {body})',
        data=data,
    )


def test_values_go_in_and_come_out() -> None:
    assert module(ECHO).call(0, [1, -2, "three", b"four", None, True]) == [1, -2, "three", b"four", None, True]


def test_a_module_says_that_values_are_wrong() -> None:
    with pytest.raises(WrongParametersError):
        calling("(i64.const 0)").call(0, [1])


def test_more_values_than_cross_the_line() -> None:
    with pytest.raises(WrongParametersError, match="more than 32768 octets"):
        module(ECHO).call(0, [bytes(CALL_LIMIT)])


def test_it_reads_the_data_that_it_depends_on() -> None:
    answer = "".join(f"\\{octet:02x}" for octet in encode([b"1234567890"])[:2])
    reading = calling(
        """
        (drop (call $read (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 102)
          (call $size (i32.const 0) (i32.const 5))))
        (i64.or (i64.shl (i64.const 100) (i64.const 32)) (i64.const 12))
        """,
        '(import "fob" "data_size" (func $size (param i32 i32) (result i32)))',
        '(import "fob" "data_read" (func $read (param i32 i32 i32 i32 i32) (result i32)))',
        '(data (i32.const 0) "rates")',
        f'(data (i32.const 100) "{answer}")',
        data=RATES,
    )
    assert reading.call(0, []) == [b"1234567890"]


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("(call $size (i32.const 0) (i32.const 5))", 10),
        ("(call $size (i32.const 0) (i32.const 4))", -1),
        ("(call $size (i32.const -1) (i32.const 5))", -1),
        ("(call $size (i32.const 65534) (i32.const 5))", -1),
        ("(call $size (i32.const 0) (i32.const -1))", -1),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 100) (i32.const 99))", 10),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 8) (i32.const 100) (i32.const 99))", 2),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 10) (i32.const 100) (i32.const 99))", 0),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 99) (i32.const 100) (i32.const 99))", 0),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const -1) (i32.const 100) (i32.const 99))", -1),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 100) (i32.const -1))", -1),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 65535) (i32.const 99))", -1),
        ("(call $read (i32.const 0) (i32.const 5) (i32.const 0) (i32.const -9) (i32.const 99))", -1),
        ("(call $read (i32.const 9) (i32.const 5) (i32.const 0) (i32.const 100) (i32.const 99))", -1),
    ],
)
def test_what_it_may_not_read_is_not_there(call: str, result: int) -> None:
    asking = module(
        '(import "fob" "data_size" (func $size (param i32 i32) (result i32)))',
        '(import "fob" "data_read" (func $read (param i32 i32 i32 i32 i32) (result i32)))',
        ECHO,
        '(data (i32.const 0) "rates")',
        f'(func (export "fob_start") (result i32) (i32.sub {call} (i32.const {result})))',
        data=RATES,
    )
    asking.test()


MISBEHAVING = [
    ("(loop (br 0)) (i64.const 0)", RunFault.OUT_OF_FUEL, "ran for too long"),
    ("(call $call (i32.const 0) (i32.const 0) (i32.const 0))", RunFault.OUT_OF_STACK, "too deep"),
    ("(unreachable)", RunFault.TRAP, "unreachable"),
    ("(i64.div_s (i64.const 1) (i64.const 0))", RunFault.TRAP, "division by zero"),
    ("(i64.load (i32.const -8))", RunFault.TRAP, "memory out of bounds"),
    ("(call_indirect (type $thunk) (i32.const 5)) (i64.const 0)", RunFault.TRAP, "table out of bounds"),
    ("(i64.const -1)", RunFault.BAD_ANSWER, "outside its memory"),
    ("(i64.const 0x0000fff000000020)", RunFault.BAD_ANSWER, "outside its memory"),
    ("(i64.const 0x0000000000008001)", RunFault.BAD_ANSWER, "too long"),
    ("(i64.const 0x0000000000000001)", RunFault.BAD_ANSWER, "no array"),
    ("(i64.const 0x0000000000000002)", RunFault.BAD_ANSWER, "no CBOR"),
]


@pytest.mark.clause("C17")
@pytest.mark.parametrize(("body", "fault", "why"), MISBEHAVING)
def test_a_call_that_misbehaves_ends_by_its_name(body: str, fault: RunFault, why: str) -> None:
    bad = calling(body, "(type $thunk (func))", "(table 1 funcref)")
    for _ in range(2):
        with pytest.raises(RunError, match=why) as ended:
            bad.call(0, [])
        assert ended.value.fault is fault
    assert module(ECHO).call(0, [1]) == [1]


def test_asking_the_device_again_and_again_uses_fuel() -> None:
    """An import takes the device's time, not the module's."""
    asked = calling(
        "(loop (drop (call $size (i32.const 0) (i32.const 5))) (br 0)) (i64.const 0)",
        '(import "fob" "data_size" (func $size (param i32 i32) (result i32)))',
    )
    with pytest.raises(RunError) as ended:
        asked.call(0, [])
    assert ended.value.fault is RunFault.OUT_OF_FUEL


def test_memory_grows_to_its_bound_and_no_further() -> None:
    pages = MODULE_MEMORY // 65_536
    growing = module(
        ECHO,
        f"""(func (export "fob_start") (result i32)
          (if (result i32) (i32.eq (memory.grow (i32.const {pages - 1})) (i32.const 1))
            (then (i32.add (memory.grow (i32.const 1)) (i32.const 1)))
            (else (i32.const 7))))""",
    )
    growing.test()


@pytest.mark.parametrize(
    "parts",
    [
        ('(memory (export "memory") 65)',),
        ('(memory (export "memory") 1)', "(table 1025 funcref)"),
    ],
)
def test_what_is_too_large_from_the_start(parts: tuple[str, ...]) -> None:
    large = module(*parts, *FUNCTIONS)
    with pytest.raises(RunError) as ended:
        large.call(0, [])
    assert ended.value.fault is RunFault.OUT_OF_MEMORY


def test_a_start_section_is_bounded_too() -> None:
    with pytest.raises(RunError) as ended:
        module(ECHO, "(func $begin (loop (br 0)))", "(start $begin)").call(0, [])
    assert ended.value.fault is RunFault.OUT_OF_FUEL


def test_calls_leave_nothing_behind() -> None:
    counting = calling(
        """
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store8 (i32.const 100) (i32.const 0x81))
        (i32.store8 (i32.const 101) (i32.add (i32.load8_u (i32.const 101)) (global.get $calls)))
        (i64.const 0x0000006400000002)
        """,
        "(global $calls (mut i32) (i32.const 0))",
    )
    assert [counting.call(0, []) for _ in range(3)] == [[1], [1], [1]]


@pytest.mark.parametrize(
    "wanted",
    [
        '(import "env" "system" (func (param i32) (result i32)))',
        '(import "fob" "sign" (func (param i32 i32) (result i32)))',
        '(import "fob" "data_size" (func (param i32) (result i32)))',
        '(import "fob" "data_size" (global i32))',
        '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
    ],
)
def test_imports_that_no_device_offers(wanted: str) -> None:
    with pytest.raises(RunError, match="which no device offers") as refused:
        module(wanted, ECHO)
    assert refused.value.fault is RunFault.BAD_IMPORT


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((), "no memory"),
        (('(func (export "memory"))',), "no memory"),
        (('(memory (export "memory") 1)',), "no function fob_alloc"),
        (
            (
                '(memory (export "memory") 1)',
                '(func (export "fob_alloc") (param i32) (result i32) (i32.const 0))',
                '(func (export "fob_call") (param i32 i32 i32) (result i32) (i32.const 0))',
            ),
            "no function fob_call",
        ),
        ((ECHO, '(func (export "fob_start"))'), "no function fob_start"),
    ],
)
def test_exports_that_a_device_needs(parts: tuple[str, ...], why: str) -> None:
    with pytest.raises(RunError, match=why) as refused:
        module(*parts)
    assert refused.value.fault is RunFault.BAD_EXPORT


@pytest.mark.parametrize(
    "content", [b"", b"(module)", b"\0asm", b"\0asm\x0d\0\x01\0", binary("(module)")[:-1] + b"\xff", bytes(100)]
)
def test_what_is_no_module(content: bytes) -> None:
    with pytest.raises(RunError) as refused:
        RunnableModule(content, {}, has_commands=False)
    assert refused.value.fault is RunFault.BAD_MODULE


@pytest.mark.parametrize(
    "newer",
    [
        "(memory 1) (memory 1)",
        "(memory i64 1)",
        "(func (result v128) (v128.const i64x2 0 0))",
        "(tag $t)",
        "(memory 1 1 shared)",
        "(func $f (return_call $f))",
    ],
)
def test_what_is_newer_is_no_module_here(newer: str) -> None:
    with pytest.raises(RunError) as refused:
        RunnableModule(binary(f"(module {newer})"), {}, has_commands=False)
    assert refused.value.fault is RunFault.BAD_MODULE


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        (('(memory (export "memory") 65536)', *FUNCTIONS), RunFault.OUT_OF_MEMORY),
        ((ECHO, "(table 2000000000 funcref)"), RunFault.OUT_OF_MEMORY),
        ((ECHO, "(func $begin (loop (br 0)))", "(start $begin)"), RunFault.OUT_OF_FUEL),
        ((ECHO, "(func $begin (call $begin))", "(start $begin)"), RunFault.OUT_OF_STACK),
        ((ECHO, "(func $begin (unreachable))", "(start $begin)"), RunFault.TRAP),
        ((ECHO, '(data (i32.const -1) "x")'), RunFault.TRAP),
    ],
)
def test_a_module_without_a_self_test_has_to_begin_all_the_same(parts: tuple[str, ...], fault: RunFault) -> None:
    """Or a trial would confirm what can never run."""
    never = module(*parts)
    with pytest.raises(RunError) as ended:
        never.test()
    assert ended.value.fault is fault
    module(ECHO).test()


def test_a_self_test_that_fails() -> None:
    with pytest.raises(RunError, match="ended with 3") as ended:
        module(ECHO, '(func (export "fob_start") (result i32) (i32.const 3))').test()
    assert ended.value.fault is RunFault.SELF_TEST
