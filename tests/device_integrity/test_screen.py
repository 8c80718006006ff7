"""Copies on the device's own screen, and the switch that damages a component (design, section 4)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fob_device.integrity.own_program import NAME
from fob_device.overview.office import OfficeOverview
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.validation import State
from support.integrity_bench import validating_office
from support.office_scene import OfficeScene
from support.office_signers import NOW
from support.reference_integrity import ReferenceIntegrity
from support.reference_office import ReferenceOffice
from support.screen_scene import screen_scene

TYPED = Method(Technique.D4, Embedder.TOOL, Variant.VA_3)


@dataclass(slots=True)
class IntegrityScene(OfficeScene):
    """Its office validates copies."""

    office: ReferenceOffice = field(default_factory=validating_office)

    @property
    def integrity(self) -> ReferenceIntegrity:
        assert self.office.integrity is not None
        return self.office.integrity

    async def stand(self, **states: str) -> None:
        """Until copies stand so."""

        def holds(shown: OfficeOverview) -> bool:
            now = {copy.program: copy.state for copy in shown.copies}
            return not shown.words and shown.doing is None and now.items() >= states.items()

        await self.until(holds)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[IntegrityScene]:
    async with screen_scene(tmp_path, IntegrityScene, NOW) as opened:
        opened.carrier.gate.set()
        await opened.unlock()
        yield opened


@pytest.mark.clause("V15", "V17")
async def test_a_component_is_damaged_refused_and_healed_by_what_the_screen_says(scene: IntegrityScene) -> None:
    await scene.stand(echo="valid", looping="valid", table="valid")
    seen = await scene.get("office")
    assert "Integrity This phone's own program Version 0.1.0. Validated" in seen.words
    assert "Components Found at the next start. Which one table echo looping Damage" in seen.words
    assert (await scene.post("workbench/spoil", {"page": "office", "component": "echo"})).path == "office"
    scene.bench.cut_power(0)
    await scene.bench.opened()
    await scene.unlock()
    await scene.stand(echo="invalid", looping="valid", table="valid")
    words = (await scene.get("office")).words
    assert "echo Version 1.0.0. A component is not the one that was signed (wrong-digest)." in words
    assert "What is here is not what the office gave out (invalid). Tap: Configure now. invalid" in words
    assert scene.integrity.copy("echo").state is State.INVALID
    await scene.post("office/configure")
    await scene.stand(echo="valid", looping="valid", table="valid")
    assert "What is here is not" not in (await scene.get("office")).words


async def test_there_is_nothing_to_damage_that_is_not_there(scene: IntegrityScene) -> None:
    await scene.stand(echo="valid")
    seen = await scene.post("workbench/spoil", {"page": "office", "component": "other"})
    assert "Nothing was done. There is no component other; there is table, echo, looping." in seen.words


@pytest.mark.clause("V16")
async def test_why_the_phone_s_own_program_is_refused_stands_on_the_first_page(scene: IntegrityScene) -> None:
    await scene.stand(**{NAME: "valid"})
    scene.integrity.copy(NAME).state = State.DISABLED
    assert (await scene.post("office/validate")).path == "office"
    await scene.stand(**{NAME: "disabled"})
    disabled = "The office has disabled this copy (disabled). Ask who runs the office."
    assert disabled in (await scene.get()).words
    assert f"{disabled} disabled" in (await scene.get("office")).words
    assert "The office was asked about every copy." in (await scene.get("office")).words


@pytest.mark.clause("V6")
async def test_a_letter_is_typed_at_the_phone(tmp_path: Path) -> None:
    async with screen_scene(tmp_path, IntegrityScene, NOW) as scene:
        integrity = scene.integrity
        for name in ("table", "echo", "looping"):
            integrity.known[name].method = TYPED
        scene.carrier.gate.set()
        await scene.unlock()
        await scene.until(lambda shown: "needs-letter" in {copy.reason for copy in shown.copies})
        await scene.stand(**{NAME: "valid"})
        assert "Letter of looping" in (await scene.get("office")).words
        letter = integrity.letter("looping")
        await scene.post("office/copies/looping/letter", {"letter": letter[:-5]})
        await scene.until(lambda shown: shown.ended is not None)
        assert "A letter has 56 characters, this one has 52." in (await scene.get("office")).words
        await scene.post("office/copies/looping/letter", {"letter": letter})
        await scene.stand(looping="valid")
        words = (await scene.get("office")).words
        assert "The letter was right." in words
        assert "Letter of looping" not in words
