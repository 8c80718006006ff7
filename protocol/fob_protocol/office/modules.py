"""What a component that is a module may use, import and export (docs/office-protocol.md, section 6.5)."""

from typing import Final

# Parameters and results, by the names of WebAssembly.
Signature = tuple[tuple[str, ...], tuple[str, ...]]

IMPORT_MODULE: Final = "fob"
IMPORTS: Final[dict[str, Signature]] = {
    "data_size": (("i32",) * 2, ("i32",)),
    "data_read": (("i32",) * 5, ("i32",)),
}

MEMORY: Final = "memory"
START, ALLOC, CALL = "fob_start", "fob_alloc", "fob_call"
EXPORTS: Final[dict[str, Signature]] = {
    START: ((), ("i32",)),
    ALLOC: (("i32",), ("i32",)),
    CALL: (("i32",) * 3, ("i64",)),
}

# Room for tables and pictures; a phone can give it to each call. In octets.
MODULE_MEMORY: Final = 4 << 20
# Instructions of one call: a tenth of a second on a small machine.
MODULE_FUEL: Final = 20_000_000
MODULE_STACK: Final = 256 << 10
MODULE_TABLE: Final = 1024

# How wasmtime is set (attributes of its Config). Each feature that is on is one more thing to bound. Bulk memory stays:
# its fuel follows the octets that it moves.
ENGINE_SETTINGS: Final[dict[str, bool | int]] = {
    "consume_fuel": True,
    "max_wasm_stack": MODULE_STACK,
    "wasm_component_model": False,
    "wasm_exceptions": False,
    "wasm_function_references": False,
    "wasm_gc": False,
    "wasm_memory64": False,
    "wasm_multi_memory": False,
    "wasm_relaxed_simd": False,
    "wasm_simd": False,
    "wasm_stack_switching": False,
    "wasm_tail_call": False,
    "wasm_threads": False,
    "wasm_wide_arithmetic": False,
}
