"""What wire, disk, log and operators see of copies: no identifier, and no ICV beside one (V13, V25)."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import disable
from fob_office.programs.programs import reference
from fob_office.validation.proofs import proof_of
from fob_protocol.integrity.identifier import mark_of
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import Message
from support.holder import Ask, ReferenceHolder
from support.office import OfficeScene, office_scene
from support.office_holders import add_program, holder_of
from support.office_http import served
from support.office_shop import OPERATOR, ordered_device
from support.postgresql import Cluster

PROGRAM = b"what everybody has, and nobody else needs to know: " * 20


@dataclass
class Wire:
    """Carries sealed questions and answers, and keeps what a relaying PC sees of them."""

    scene: OfficeScene
    seen: list[bytes] = field(default_factory=list)

    def ask(self) -> Ask:
        def carry(service: Service, server: str, message: Message) -> bytes:
            question = self.scene.question(service, server, message)
            answer = self.scene.answering.answer(service, question.sealed)
            self.seen += [question.sealed, answer]
            return question.open(answer).body

        return carry


@dataclass
class Secrets:
    """All that was secret in a conversation."""

    identifiers: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)

    def found_in(self, text: bytes) -> list[str]:
        """Which kinds, in any of the ways to write octets."""
        kinds = {"identifier": self.identifiers, "integrity value": self.values, "other": self.others}
        lower = text.lower()
        return [
            kind
            for kind, secrets in kinds.items()
            for secret in secrets
            if secret in text or secret.hex().encode() in lower or b64encode(secret)[:-2] in text
        ]


def talk(scene: OfficeScene, holder: ReferenceHolder, program: bytes) -> Secrets:
    """Three admitted, one flagged: everything that can be said of a copy is said."""
    holder.fetch({"fobd": program})
    copy = holder.copies["fobd"]
    secrets = Secrets(others=[PROGRAM[:32]])
    for _ in range(3):
        secrets.identifiers.append(copy.identifier)
        message = holder.request(copy, holder.challenge(copy))
        secrets.values.append(message.secret.integrity_value)
        assert isinstance(holder.take(copy, holder.send(copy)), Ticket)
        assert copy.ticket is not None
        assert secrets.found_in(copy.ticket) == secrets.found_in(message.evidence) == []
    secrets.identifiers.append(copy.identifier)
    clone = holder.clone(seed=9)
    clone.copies["fobd"].program_number -= 1
    clone.validate("fobd")
    secrets.others += [mark_of(identifier) for identifier in secrets.identifiers]
    return secrets


def everything(scene: OfficeScene) -> tuple[Wire, Secrets, bytes]:
    """What a wire saw, what was secret, and a clone proof."""
    program = add_program(scene, "fobd", PROGRAM)
    wire = Wire(scene)
    device = holder_of(scene, ordered_device(scene).system_key, ask=wire.ask())
    secrets = talk(scene, device, program)
    computer = holder_of(scene, ask=wire.ask(), seed=77)
    letter = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    unused = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    secrets.identifiers += [read_letter(letter), read_letter(unused)]
    secrets.others += [letter.encode(), unused.encode()]
    computer.enrol(letter, "fobd", program)
    computer.validate("fobd")
    disable(scene.office, computer.copies["fobd"].number, OPERATOR)
    computer.validate("fobd")
    with scene.office.database.read() as session:
        return wire, secrets, proof_of(session, device.copies["fobd"].number)


@pytest.mark.clause("V13")
def test_nothing_on_the_wire_shows_an_identifier_or_an_integrity_value(
    sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    wire, secrets, proof = everything(sqlite_scene)
    assert len(wire.seen) > 20
    assert [secrets.found_in(octets) for octets in wire.seen if secrets.found_in(octets)] == []
    assert secrets.found_in(proof) == []
    out, err = capsys.readouterr()
    assert "copy flagged" in out + err
    assert secrets.found_in(f"{out}{err}{caplog.text}".encode()) == []


@pytest.mark.clause("V13", "V25")
def test_no_file_of_the_database_shows_any_of_it(sqlite_scene: OfficeScene) -> None:
    _, secrets, _ = everything(sqlite_scene)
    files = list(sqlite_scene.office.settings.state.glob("office.db*"))
    assert {file.name for file in files} >= {"office.db", "office.db-wal"}
    assert [secrets.found_in(file.read_bytes()) for file in files] == [[]] * len(files)


@pytest.mark.clause("V13", "V25")
def test_no_dump_of_postgresql_shows_any_of_it(state: Path, cluster: Cluster) -> None:
    with cluster.database() as url, office_scene(state, url) as scene:
        _, secrets, _ = everything(scene)
        dump = cluster.dump(url.partition("@/")[2].partition("?")[0])
    assert "COPY public.copies" in dump
    assert "COPY public.installation_pieces" in dump
    assert secrets.found_in(dump.encode()) == []


def answers(scene: OfficeScene, number: bytes) -> Iterator[bytes]:
    with served(scene) as office:
        headers = office.token()
        for path in ("copies", f"copies/{number.hex()}", f"copies/{number.hex()}/proof", "validations", "events"):
            response = office.get(f"/v1/operator/{path}", headers)
            assert response.status_code == 200
            yield response.content


@pytest.mark.clause("V13", "V19")
def test_an_operator_sees_integrity_values_and_never_an_identifier(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    program = add_program(scene, "fobd", PROGRAM)
    holder = holder_of(scene, ordered_device(scene).system_key)
    secrets = talk(scene, holder, program)
    shown = list(answers(scene, holder.copies["fobd"].number))
    assert {kind for octets in shown for kind in secrets.found_in(octets)} == {"integrity value"}
    lines = json.loads(shown[3])
    assert [line["result"] for line in lines] == ["valid"] * 3 + ["cloned"]
    assert [line["integrity_value"] for line in lines[:3]] == [value.hex() for value in secrets.values]


@pytest.mark.clause("V1", "V5", "V25")
@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 40, 600_001])
def test_a_reference_value_is_read_in_pieces_as_it_was_added(sqlite_scene: OfficeScene, size: int) -> None:
    scene = sqlite_scene
    octets = add_program(scene, "fobd", scene.random.randbytes(size))
    with scene.office.database.read() as session:
        source = reference(session, scene.office, None, 1)
        assert source.length == len(octets)
        for _ in range(20):
            at = scene.random.randrange(len(octets) + 1)
            end = scene.random.randrange(at, len(octets) + 1)
            assert source.read(at, end - at) == octets[at:end]
