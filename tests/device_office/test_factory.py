"""`fob-device factory`: makes a phone a device once, and tells its office."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from fob_device.main import main
from fob_device.state import make_phone, open_phone
from fob_protocol.office.certificate import Usage
from fob_protocol.office.factory import FactoryRecord, open_factory_record
from support.bench_program import DEVICE
from support.office_signers import OfficeSigners, Server, public


@pytest.fixture(scope="module")
def signers() -> OfficeSigners:
    return OfficeSigners()


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    folder = tmp_path / "phone"
    make_phone(folder, label="Kitchen meter", user_pin=b"123456", so_pin=b"12345678")
    return folder


def made(phone: Path, signers: OfficeSigners, *more: str, server: Server | None = None) -> tuple[int, str]:
    """Exit status, and what was said."""
    certificate = phone.parent / "certificate"
    certificate.write_bytes((server or signers.configuration).signed)
    issuer = public(signers.issuer).hex()
    options = ("--state", str(phone), "--issuer", issuer, "--server-certificate", str(certificate))
    result = CliRunner().invoke(main, ["factory", *options, *more])
    return result.exit_code, result.output


def opened(signers: OfficeSigners, record: bytes) -> FactoryRecord:
    return open_factory_record(signers.configuration.sealing_key, record)


@pytest.mark.clause("C1", "C12", "C21", "R4")
def test_a_phone_becomes_a_device_and_its_office_learns_of_it(phone: Path, signers: OfficeSigners) -> None:
    file = phone.parent / "record"
    status, said = made(phone, signers, "--serial", "FM-7", "--hardware", "meter-1", "--record", str(file))
    assert (status, said) == (0, f"the factory record is in {file}\n")
    record = opened(signers, file.read_bytes())
    assert (record.serial, record.hardware, record.title) == ("FM-7", "meter-1", "Kitchen meter")
    assert [region.name for region in record.regions] == ["programs", "data"]
    again = CliRunner().invoke(main, ["factory", "--state", str(phone), "--again"])
    assert bytes.fromhex(again.output) == file.read_bytes()
    assert (phone / "components").stat().st_mode & 0o777 == 0o700
    assert (phone / "token.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.clause("C12")
def test_private_parts_stay_and_are_sealed(phone: Path, signers: OfficeSigners) -> None:
    made(phone, signers)
    memory = open_phone(phone)
    secrets = [memory.office_items.get(f"factory/{item}") for item in ("signing_key", "sealing_key", "device_secret")]
    memory.close()
    octets = b"".join(path.read_bytes() for path in phone.iterdir() if path.is_file())
    assert all(secret is not None and len(secret) == 32 and secret not in octets for secret in secrets)


def test_a_device_is_never_made_twice(phone: Path, signers: OfficeSigners) -> None:
    assert made(phone, signers)[0] == 0
    before = (phone / "token.db").read_bytes()
    status, said = made(phone, signers)
    assert status == 1
    assert "its keys are never overwritten" in said
    assert (phone / "token.db").read_bytes() == before


def again(phone: Path, *options: str, server: Server) -> tuple[int, str]:
    certificate = ("--server-certificate", server.signed.hex())
    result = CliRunner().invoke(main, ["factory", "--state", str(phone), "--again", *certificate, *options])
    return result.exit_code, result.output


@pytest.mark.clause("C1", "R27")
def test_a_device_that_lay_in_store_is_given_the_server_s_newer_certificate(
    phone: Path, signers: OfficeSigners
) -> None:
    made(phone, signers, "--serial", "FM-7")
    newer = signers.server("config", Usage.CONFIGURATION, epoch=2)
    status, said = again(phone, server=newer)
    assert (status, open_factory_record(newer.sealing_key, bytes.fromhex(said)).serial) == (0, "FM-7")
    memory = open_phone(phone)
    assert memory.office_items.get("factory/server_certificate") == newer.signed
    memory.close()
    for other, why in (
        (signers.configuration, "the device has a newer certificate"),
        (signers.server("bank", Usage.REGISTRATION), "bank may not configure devices"),
        (signers.server("other", Usage.CONFIGURATION), "the device belongs to config, not to other"),
        (OfficeSigners(8).configuration, "not signed by the issuer"),
    ):
        status, said = again(phone, server=other)
        assert (status, why in said) == (2, True), said
    assert again(phone, "--serial", "FM-8", server=newer)[0] == 2
    assert CliRunner().invoke(main, ["factory", "--state", str(phone), "--again"]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--serial", "small letters"), "serial"),
        (("--hardware", "Meter 1"), "hardware"),
        (("--issuer", "ff" * 32), "not signed by the issuer"),
        (("--issuer", "no such file"), "--issuer is neither a file nor hexadecimal digits"),
    ],
)
def test_what_makes_no_device_is_refused_and_nothing_is_made(
    phone: Path, signers: OfficeSigners, options: tuple[str, str], why: str
) -> None:
    status, said = made(phone, signers, *options)
    assert status == 2
    assert why in said
    memory = open_phone(phone)
    assert not memory.office_items.is_made
    memory.close()


def test_another_server_s_certificate_is_refused(phone: Path, signers: OfficeSigners) -> None:
    status, said = made(phone, signers, server=signers.server("bank", Usage.REGISTRATION))
    assert status == 2
    assert "bank may not configure devices" in said


def test_a_phone_that_no_factory_touched_has_no_record_and_no_network(phone: Path) -> None:
    again = CliRunner().invoke(main, ["factory", "--state", str(phone), "--again"])
    assert (again.exit_code, "no factory has made this phone a device" in again.output) == (1, True)
    command = (DEVICE, "run", f"--state={phone}", f"--port=pty:{phone}/line", "--office=https://127.0.0.1:1")
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, "--office is for a device that a factory has made" in run.stderr) == (1, True)


@pytest.mark.parametrize("url", ["http://office.example.org", "ftp://127.0.0.1", "office", "https://[", "http://[::2]"])
def test_an_office_is_reached_by_tls_alone(phone: Path, url: str) -> None:
    result = CliRunner().invoke(main, ["run", "--state", str(phone), "--port", "pty:x", "--office", url])
    assert result.exit_code == 1
    assert "--office is an address as https://office.example.org" in result.output


def test_who_vouches_for_the_office_is_a_file_that_is_there(tmp_path: Path) -> None:
    missing = tmp_path / "nobody.pem"
    command = ["run", "--state", str(tmp_path), "--port", "pty:x", "--office", "https://office.example"]
    result = CliRunner().invoke(main, [*command, "--office-ca", str(missing)])
    assert result.output.splitlines()[1:] == [
        f"why:   --office-ca {missing}: there is no such file",
        "try:   fob-device run --help",
    ]
