"""What an operator does with programs and copies, on the command line and over HTTP."""

import json
import os
import shlex
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest

from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.programs.programs import program_of_installation
from fob_office.programs.service import installations_after
from fob_office.surroundings import Surroundings
from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.cloning import read_clone_proof
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.office.hashing import digest
from fob_protocol.office.refusals import Refusal
from support.holder import ReferenceHolder
from support.office import OfficeScene
from support.office_holders import RATES, add_program, holder_of, rates_holder, refused
from support.office_http import problem, served
from support.office_shop import ordered_device, release


@dataclass
class Shell:
    """Runs `fob-office` in this process, at a scene's office."""

    scene: OfficeScene
    capsys: pytest.CaptureFixture[str]
    said: str = ""

    def __call__(self, line: str, status: int = 0) -> str:
        """What it prints: data, or the error."""
        surroundings = Surroundings(lambda: self.scene.clock.time, Random(line).randbytes)
        command, _, rest = line.partition(" ")
        arguments = [command, *shlex.split(rest)]
        if "verify-proof" not in arguments:
            arguments += ["--state", str(self.scene.office.settings.state)]
        self.capsys.readouterr()
        ended = run(arguments, Cli({}, surroundings))
        out, err = self.capsys.readouterr()
        self.said = err
        assert ended == status, err
        return err if status else out

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} --json"))


@pytest.fixture
def shell(sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> Shell:
    (sqlite_scene.office.settings.state / "office.toml").write_text("")
    return Shell(sqlite_scene, capsys)


@pytest.fixture
def scene(sqlite_scene: OfficeScene) -> OfficeScene:
    return sqlite_scene


# Programs.


def package(folder: Path) -> Path:
    """A package with what belongs to it, and what does not."""
    made = folder / "fobd_example"
    (made / "inner" / "__pycache__").mkdir(parents=True)
    (made / "__init__.py").write_bytes(b"")
    (made / "inner" / "data.txt").write_bytes(b"data")
    (made / "inner" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    (made / "z.py").write_bytes(b"z = 1\n")
    return made


# As docs/integrity-protocol.md, section 7 has it.
OCTETS = b"".join(
    encode([name, len(content)]) + content
    for name, content in (
        ("fobd_example/__init__.py", b""),
        ("fobd_example/inner/data.txt", b"data"),
        ("fobd_example/z.py", b"z = 1\n"),
    )
)


def wheel(path: Path, **others: bytes) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr("fobd_example/z.py", b"z = 1\n")
        archive.writestr("fobd_example/inner/data.txt", b"data")
        archive.writestr("fobd_example/__init__.py", b"")
        archive.writestr("fobd_other/__init__.py", b"")
        archive.writestr("fobd-1.0.0.dist-info/RECORD", b"")
        for name, content in others.items():
            archive.writestr(name, content)
    return path


@pytest.mark.clause("V5")
def test_an_installation_is_the_same_from_a_folder_and_from_a_wheel(
    shell: Shell, scene: OfficeScene, tmp_path: Path
) -> None:  # fmt: skip
    shell(f"program add fobd 1.0.0 --folder {package(tmp_path)}")
    shell(f"program add fobd 1.1.0 --wheel {wheel(tmp_path / 'x.whl')} --package fobd_example")
    listed = shell.json("program list")
    assert [(one["version"], one["size"], one["digest"], one["state"]) for one in listed] == [
        (version, len(OCTETS), digest(OCTETS).hex(), "available") for version in ("1.0.0", "1.1.0")
    ]
    shell(f"program add fobd 1.2.0 --wheel {tmp_path / 'x.whl'}")
    with scene.office.database.read() as session:
        assert program_of_installation(installations_after(session, 2)[0]).digest != digest(OCTETS)
    holder = holder_of(scene, ordered_device(scene).system_key)
    holder.fetch({"fobd": OCTETS})
    assert isinstance(holder.validate("fobd"), Ticket)


def with_a_link(made: Path) -> None:
    (made / "link.py").symlink_to(made / "z.py")


def with_a_linked_folder(made: Path) -> None:
    (made / "linked").symlink_to(made / "inner")


def with_a_pipe(made: Path) -> None:
    os.mkfifo(made / "pipe")


@pytest.mark.clause("V5")
@pytest.mark.parametrize("spoil", [with_a_link, with_a_linked_folder, with_a_pipe])
def test_what_is_no_file_is_refused_by_name(shell: Shell, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    made = package(tmp_path)
    spoil(made)
    told = shell(f"program add fobd 1.0.0 --folder {made}", status=1)
    assert "is no plain file" in told
    assert "fobd_example/" in told
    assert shell.json("program list") == []


def test_a_link_in_a_wheel_is_refused_by_name(shell: Shell, tmp_path: Path) -> None:
    path = wheel(tmp_path / "x.whl")
    with ZipFile(path, "a") as archive:
        link = ZipInfo("fobd_example/link.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "z.py")
    assert "fobd_example/link.py is no plain file" in shell(f"program add fobd 1.0.0 --wheel {path}", status=1)
    (tmp_path / "no.whl").write_bytes(b"no wheel")
    assert "not a zip file" in shell(f"program add fobd 1.0.0 --wheel {tmp_path / 'no.whl'}", status=1)
    assert "has no package nothing" in shell(f"program add fobd 1.0.0 --wheel {path} --package nothing", status=1)


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("program add fobd 1.0.0", 2, "say --folder, or --wheel"),
        ("program add Fobd 1.0.0 --folder {made}", 2, "that is no program's name"),
        ("program add fobd one --folder {made}", 2, "that is no version"),
        ("program show fobd 1.0.0", 1, "there is no program fobd 1.0.0"),
        ("program policy fobd --rolls", 1, "there is no program fobd"),
        ("program withdraw fobd 1.0.0", 1, "there is no program fobd 1.0.0"),
        ("copy letter fobd 1.0.0", 1, "there is no program fobd 1.0.0"),
        ("copy show 00", 2, "32 hexadecimal digits are due"),
        (f"copy show {'0' * 32}", 1, "there is no such copy"),
        (f"copy proof {'0' * 32} --out x", 1, "there is no such copy"),
    ],
)
def test_what_cannot_be_done_is_three_lines(
    shell: Shell, tmp_path: Path, line: str, status: int, told: str
) -> None:  # fmt: skip
    said = shell(line.replace("{made}", str(package(tmp_path))), status).splitlines()
    assert [text[:7] for text in said] == ["error: ", "why:   ", "try:   "]
    assert told in f"{said[0]}{said[1]}"


def test_a_program_is_added_once_and_is_no_component(shell: Shell, scene: OfficeScene, tmp_path: Path) -> None:
    rates_holder(scene)
    made = package(tmp_path)
    shell(f"program add fobd 1.0.0 --folder {made}")
    assert "a version is added once" in shell(f"program add fobd 1.0.0 --folder {made}", status=1)
    assert "rates is a component" in shell(f"program add rates 9.0.0 --folder {made}", status=1)
    assert shell.json("program show rates 1.0.0")["kind"] == "component"
    shell("program withdraw fobd 1.0.0")
    assert shell.said.splitlines()[1:] == [
        "copies that there are go on: fob-office copy list --program fobd, and copy disable"
    ]
    assert "it is so already" in shell("program withdraw fobd 1.0.0", status=1)


def test_a_policy_is_of_one_version_or_of_all(shell: Shell, scene: OfficeScene) -> None:
    add_program(scene, "fobd", b"the daemon")
    add_program(scene, "fobd", b"the daemon", (1, 1, 0))
    default = shell.json("program show fobd 1.0.0")
    method = {"technique": "D7", "embedder": "distributor", "variant": "VA-7"}
    assert default.items() >= (method | {"lifetime": 86_400, "interval": 0, "grace": 604_800, "rolls": True}).items()
    shell("program policy fobd --technique D4 --no-rolls")
    shell("program policy fobd 1.1.0 --lifetime 60")
    one, other = (shell.json(f"program show fobd {version}") for version in ("1.0.0", "1.1.0"))
    assert [one[name] for name in ("technique", "embedder", "lifetime", "rolls")] == ["D4", "tool", 86_400, False]
    assert [other[name] for name in ("technique", "embedder", "lifetime", "rolls")] == ["D4", "tool", 60, False]
    shell("program policy fobd 1.1.0 --technique D7")
    # Whom D4 told to embed goes on to do so.
    assert shell.json("program show fobd 1.1.0")["embedder"] == "tool"
    assert "is not embedded by" in shell("program policy fobd --technique D4 --embedder distributor", status=1)


def test_a_policy_that_is_only_looked_at_is_no_change(shell: Shell, scene: OfficeScene) -> None:
    add_program(scene, "fobd", b"the daemon")
    before = shell.json("event list")
    assert shell.json("program policy fobd")["lifetime"] == 86_400
    assert shell.json("program policy fobd 1.0.0")["lifetime"] == 86_400
    assert shell.json("event list") == before
    # Nor was a policy of its own made for what was looked at.
    shell("program policy fobd --lifetime 60")
    assert shell.json("program policy fobd 1.0.0")["lifetime"] == 60
    assert [one["what"] for one in shell.json("event list")[len(before) :]] == ["program policy changed"]
    assert "there is no program other" in shell("program policy other", status=1)


# Copies.


@pytest.mark.clause("V16", "V19")
def test_copies_are_seen_and_changed(shell: Shell, scene: OfficeScene) -> None:
    holder = rates_holder(scene)
    number = holder.copies["rates"].number.hex()
    holder.validate("rates")
    [line] = shell.json("copy list")
    assert (line["number"], line["program"], line["device"], line["state"]) == (number, "rates", "M-0001", "valid")
    assert shell.json("copy list --standing valid --program rates --device M-0001") == [line]
    assert shell.json("copy list --standing cloned") == shell.json("copy list --after 1") == []
    shown = shell.json(f"copy show {number}")
    assert (shown["requests"], shown["answers"], shown["technique"], shown["variant"]) == (1, 1, "D7", "VA-7")
    shell(f"copy disable {number}")
    assert "it is disabled, or so already" in shell(f"copy disable {number}", status=1)
    assert "rates 1.0.0 (disabled)" in shell("device show M-0001")
    holder.validate("rates")
    shell(f"copy enable {number}")
    holder.validate("rates")
    assert "it is valid: its holder keeps it" in shell(f"copy reissue {number}", status=1)
    shell(f"copy resynchronise {number}")
    shell(f"copy disable {number}")
    shell(f"copy reissue {number}")
    shown = shell.json(f"copy show {number}")
    assert (shown["reissued"], shown["resynchronised"]) == (True, True)
    log = shell.json(f"validation list --copy {number}")
    assert [(one["request"], one["result"]) for one in log] == [(1, "valid"), (2, "disabled"), (3, "valid")]
    assert shell.json("validation list --after 1 --count 1") == log[1:2]
    assert [one["what"] for one in shell.json("event list --after 6")][-5:] == [
        "copy disabled", "copy enabled", "copy resynchronised", "copy disabled", "copy reissued",
    ]  # fmt: skip


@pytest.mark.clause("V16")
@pytest.mark.parametrize(
    ("interval", "grace", "told"),
    [
        (0, 0, "before its next use"),
        (3600, 0, "when its last VAL_OK is 3600 s old, and when it starts"),
        (
            0, 7200,
            "before its next use; while it cannot reach this office it goes on until its last VAL_OK is 7200 s old",
        ),
    ],
)  # fmt: skip
def test_who_disables_a_copy_hears_when_its_holder_does(
    shell: Shell, scene: OfficeScene, interval: int, grace: int, told: str
) -> None:
    release(scene, "rates", octets=RATES)
    shell(f"program policy rates --interval {interval} --grace {grace}")
    number = rates_holder(scene).copies["rates"].number.hex()
    shell(f"copy disable {number}")
    assert shell.said == f"disabled {number}\nit asks {told}\n"
    shell(f"copy enable {number}")
    assert "it is asked about again at its next use" in shell.said


def test_people_read_dates_and_scripts_seconds(shell: Shell, scene: OfficeScene) -> None:
    holder = rates_holder(scene)
    number = holder.copies["rates"].number.hex()
    assert "None" in shell("copy list")
    holder.validate("rates")
    now = scene.clock.time
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for line in ("copy list", f"copy show {number}", "validation list", "event list", "device list", "server list"):
        told = shell(line)
        assert str(now) not in told
        assert line == "server list" or date in told
    assert shell.json(f"copy show {number}")["validated"] == shell.json("validation list")[0]["time"] == now


def test_a_time_without_a_date_stays_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    Cli().fields({"time": 253_402_300_799, "first": 253_402_300_800})
    assert capsys.readouterr().out.split() == ["time", "9999-12-31T23:59:59Z", "first", "253402300800"]


@pytest.mark.clause("V14")
def test_all_that_are_out_of_sequence_are_resynchronised_by_one_command(shell: Shell, scene: OfficeScene) -> None:
    holder = rates_holder(scene)
    copy = holder.copies["rates"]
    holder.validate("rates")
    copy.program_number = 4
    assert shell.json("copy list --out-of-sequence") == []
    assert refused(lambda: holder.validate("rates")) is Refusal.OUT_OF_SEQUENCE
    assert [one["number"] for one in shell.json("copy list --out-of-sequence")] == [copy.number.hex()]
    shell("copy resynchronise --all --since 2099-01-01")
    shell("copy resynchronise --all --program another")
    assert shell.json(f"copy show {copy.number.hex()}")["resynchronised"] is False
    shell("copy resynchronise --all --program rates --since 2026-01-01")
    assert shell.json("copy list --out-of-sequence") == []
    assert isinstance(holder.validate("rates"), Ticket)
    for wrong in ("", f"{copy.number.hex()} --all", f"{copy.number.hex()} --program rates"):
        assert "say COPY; or --all" in shell(f"copy resynchronise {wrong}", status=2)


@pytest.mark.clause("V6")
def test_a_letter_is_printed_once(shell: Shell, scene: OfficeScene) -> None:
    octets = add_program(scene, "fobd", b"the daemon")
    letter = shell("copy letter fobd 1.0.0 --technique D2").strip()
    assert len(letter.replace("-", "")) == 56
    computer = holder_of(scene)
    computer.enrol(letter, "fobd", octets)
    assert isinstance(computer.validate("fobd"), Ticket)
    assert "does not roll" not in shell.said
    shell("program policy fobd --no-rolls")
    assert "D7 is not embedded by" not in shell("copy letter fobd 1.0.0 --technique D7")
    assert "does not roll: type it at the device itself" in shell.said
    assert "is not embedded by" in shell("copy letter fobd 1.0.0 --technique D1", status=1)


def cloned(holder: ReferenceHolder) -> str:
    clone = holder.clone(seed=9)
    holder.validate("rates")
    clone.validate("rates")
    return holder.copies["rates"].number.hex()


@pytest.mark.clause("V21")
def test_a_clone_proof_is_checked_without_the_office(shell: Shell, scene: OfficeScene, tmp_path: Path) -> None:
    holder = rates_holder(scene)
    number = cloned(holder)
    shell(f"copy proof {number} --out {tmp_path / 'proof'}")
    assert "File exists" in shell(f"copy proof {number} --out {tmp_path / 'proof'}", status=1)
    key = shell.json("server show integrity")["signing_key"]
    for server in ("integrity", "registration"):
        shell(f"server certificate {server} --output {tmp_path / server}")
    scene.office.close()
    shown = shell.json(f"copy verify-proof {tmp_path / 'proof'} --key {key}")
    assert (shown["copy"], shown["holder"], shown["request"]) == (number, holder.public_key.hex(), 1)
    for wrong in ("00" * 32, holder.public_key.hex()):
        said = shell(f"copy verify-proof {tmp_path / 'proof'} --key {wrong}", status=1)
        assert "that proves nothing" in said
    assert shell.json(f"copy verify-proof {tmp_path / 'proof'} --certificate {tmp_path / 'integrity'}") == shown
    for file, why in (("registration", "registration is no validation server"), ("proof", "is no certificate")):
        assert why in shell(f"copy verify-proof {tmp_path / 'proof'} --certificate {tmp_path / file}", status=1)
    for wrong in ("", f"--key {key} --certificate {tmp_path / 'integrity'}"):
        assert "say --key or --certificate" in shell(f"copy verify-proof {tmp_path / 'proof'} {wrong}", status=2)


def test_separate_servers_are_made_when_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = ["init", "--separate-validation", "--json", "--state", str(tmp_path / "office")]
    assert run(line, Cli({}, Surroundings(lambda: 1_790_000_000, Random(1).randbytes))) == 0
    names = json.loads(capsys.readouterr().out)["servers"]
    assert names == ["registration", "configuration", "release", "distribution", "validation"]


def test_http_offers_the_same(sqlite_scene: OfficeScene) -> None:
    scene = sqlite_scene
    holder = rates_holder(scene)
    number = cloned(holder)
    add_program(scene, "fobd", b"the daemon")
    key = holder.copies["rates"].validation.signing_key
    with served(scene) as office:
        headers, base = office.token(), "/v1/operator"

        def post(path: str, **body: object) -> Any:
            return office.client.post(f"{base}{path}", headers=headers, json=body or None)

        assert [one["number"] for one in office.get(f"{base}/copies?state=cloned", headers).json()] == [number]
        proof = b64decode(office.get(f"{base}/copies/{number}/proof", headers).json()["proof"])
        assert read_clone_proof(key, proof).proof.copy.hex() == number
        assert problem(post(f"/copies/{number}/disable")) == (409, "conflict")
        assert post(f"/copies/{number}/reissue").json()["reissued"] is True
        assert len(office.get(f"{base}/validations?copy={number}", headers).json()) == 2
        assert len(post("/letters", program="fobd", version="1.0.0").json()["letter"]) == 69
        changed = office.client.put(f"{base}/policies/fobd", headers=headers, json={"interval": 60})
        assert changed.json()["interval"] == 60
        assert office.get(f"{base}/programs/fobd/1.0.0", headers).json()["interval"] == 60
        assert post("/programs/fobd/1.0.0/withdraw").status_code == 200
        assert [one["state"] for one in office.get(f"{base}/programs", headers).json()] == ["withdrawn"]
        assert problem(office.get(f"{base}/copies/{'0' * 32}", headers)) == (404, "not-found")
        [device] = [office.get(f"{base}/devices/M-0001", headers).json()]
        assert [(one["program"], one["state"]) for one in device["copies"]] == [("rates", "cloned")]
