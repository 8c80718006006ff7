"""`fob meter` at a phone that had two mailers' meters: whatever is found by a counter is found by its meter too."""

from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from support.fake_meter import SERIAL, FakeMeter

OTHER = "FM01000000014"


async def franked_by(fob: FobProgram, name: str) -> None:
    await fob("meter", "frank", "--to", "20095", "--address", f"{name} 1, Hamburg", "--weight", "20")


@pytest.fixture
async def mailers(fob: FobProgram, meter: FakeMeter) -> FakeMeter:
    """Ada franked at counter 2, eve too; then ada signed on again."""
    await franked_by(fob, "ada")
    records = meter.records
    meter.become(OTHER, "eve").rich(500)
    await fob("meter", "status")
    await franked_by(fob, "eve")
    await fob("meter", "refill", "5")
    meter.become(SERIAL, "ada")
    meter.records, meter.counter, meter.descending = records, 2, 99_905
    await fob("meter", "status")
    return meter


async def serials(fob: FobProgram, *arguments: str) -> list[str]:
    return [one["serial"] for one in (await fob("--json", "meter", "print", *arguments)).json["labels"]]


async def test_a_batch_is_drawn_as_its_own_meter_s(fob: FobProgram, mailers: FakeMeter) -> None:
    assert await serials(fob, "1") == [SERIAL]
    assert await serials(fob, "2") == [OTHER]
    assert await serials(fob, "--counter", "2") == [SERIAL]
    assert await serials(fob, "--counter", "2", "--meter", OTHER) == [OTHER]
    ended = await fob("--json", "meter", "print", "--counter", "3", "--meter", OTHER)
    assert ended.code == 7
    assert (await fob("meter", "print", "1", "--meter", OTHER)).code == 2


async def test_a_label_is_held_against_its_own_meter_s_transaction(
    fob: FobProgram, mailers: FakeMeter, tmp_path: Path
) -> None:
    for batch in ("1", "2"):
        await fob("meter", "print", batch, "--output", str(tmp_path), "--format", "png")
    pictures = [str(tmp_path / f"{serial}-000002-01.png") for serial in (SERIAL, OTHER)]
    ended = await fob("meter", "verify", *pictures)
    assert [line.split()[3] for line in ended.out.splitlines()[1:]] == ["genuine", "genuine"]
    assert ended.code == 0


async def test_an_indicium_is_given_back_to_its_own_meter(fob: FobProgram, mailers: FakeMeter, tmp_path: Path) -> None:
    await fob("meter", "print", "1", "--output", str(tmp_path), "--format", "png")
    assert (await fob("meter", "refund", "--counter", "2")).err.startswith("Credited EUR 0.95")
    assert (await fob("meter", "print", "1", "--output", str(tmp_path))).code == 7
    assert await serials(fob, "2") == [OTHER]
    # What this computer gave back it says, as the post does.
    ended = await fob("--json", "meter", "verify", str(tmp_path / f"{SERIAL}-000002-01.png"))
    assert (ended.code, ended.json["codes"][0]["outcome"]) == (1, "refunded")


async def test_what_is_taken_over_of_the_meter_before_is_named(fob: FobProgram, meter: FakeMeter) -> None:
    await fob("meter", "status")
    meter.is_unanswered = True
    await franked_by(fob, "ada")
    assert meter.kept is not None
    order, wanted, _ = meter.kept
    meter.kept = order, wanted, meter._answer()
    meter.become(OTHER, "eve").rich(700)
    meter.is_unanswered = False
    ended = await fob("meter", "take-over")
    assert ended.err.splitlines() == [
        f"Taken over: 1 piece for EUR 0.95 (counter 2), of meter {SERIAL}.",
        f"The device has meter {OTHER} of eve.",
        f"try:   fob meter print --counter 2 --meter {SERIAL} --output FOLDER",
    ]
    assert await serials(fob, "--counter", "2", "--meter", SERIAL) == [SERIAL]
