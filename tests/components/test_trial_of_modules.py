"""A trial with the runtime that phones have: what can never run is reverted by its name, and never confirmed."""

import pytest
from wasmtime import wat2wasm

from components.change_scene import ChangeScene
from fob_device.components.boot_record import Ended
from fob_device.office.options import Options
from fob_protocol.office.configuration import Outcome
from support.component_device import Shelf, install
from support.faulty_storage import Disk, FaultyStorage

FUNCTIONS = """
  (func (export "fob_alloc") (param i32) (result i32) (i32.const 0))
  (func (export "fob_call") (param i32 i32 i32) (result i64) (i64.const 0))
"""
WELL = '(memory (export "memory") 1)'


@pytest.mark.clause("C17", "C27")
@pytest.mark.parametrize(
    ("parts", "ended"),
    [
        (WELL, Ended(1, Outcome.CONFIRMED, "")),
        ('(memory (export "memory") 65536)', Ended(1, Outcome.REVERTED, "out-of-memory")),
        (f"{WELL} (table 2000000000 funcref)", Ended(1, Outcome.REVERTED, "out-of-memory")),
        (f"{WELL} (func $begin (loop (br 0))) (start $begin)", Ended(1, Outcome.REVERTED, "out-of-fuel")),
    ],
)
def test_a_module_without_a_self_test_is_tried_too(parts: str, ended: Ended) -> None:
    scene = ChangeScene()
    released = scene.signers.release("rates", bytes(wat2wasm(f"(module {parts} {FUNCTIONS})")), commands=("XRATE",))
    offer = scene.signers.offer(scene.device, scene.signers.draft(scene.device, [released]))
    machine = scene.machine(FaultyStorage(Disk.holding({})), Options())
    install(machine, offer, Shelf(released), scene.trust)
    assert machine.boot.record.ended == ended
