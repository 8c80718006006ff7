"""What a component that is a module may use, import and export (docs/office-protocol.md, section 6.5)."""

from typing import Final

# Parameters and results, by the names of WebAssembly.
Signature = tuple[tuple[str, ...], tuple[str, ...]]

# Features of wasmtime. Each is one more thing to bound. Bulk memory stays: its fuel follows the octets that it moves.
SWITCHED_OFF: Final = (
    "wasm_component_model",
    "wasm_exceptions",
    "wasm_function_references",
    "wasm_gc",
    "wasm_memory64",
    "wasm_multi_memory",
    "wasm_relaxed_simd",
    "wasm_simd",
    "wasm_stack_switching",
    "wasm_tail_call",
    "wasm_threads",
    "wasm_wide_arithmetic",
)

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
