"""`fob-device factory`: gives a phone what makes it a device of a back office. Nothing of that is loaded before."""

import os
import shlex
from pathlib import Path
from typing import Final

import click

from fob_device.errors import StartError, UsageError, told
from fob_device.memory import Memory
from fob_device.state import FOLDER_MODE, open_phone

HELP: Final = "fob-device factory --help"
NOT_MADE: Final = "nothing was made"
# The folder of its components, in the phone's own.
COMPONENTS_FOLDER: Final = "components"
HARDWARE: Final = "fob-phone-1"
# A certificate has some hundred octets.
FILE_LIMIT: Final = 65_536
# The variants of docs/office-protocol.md, section 6.2, by their numbers there.
IDENTITIES: Final = {"sealed-identifier": 1, "signed-request": 2}


@click.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder made by init; the phone is off.")
@click.option("--issuer", metavar="HEX|FILE", help="The issuer's public key: fob-office issuer show.")
@click.option("--server-certificate", metavar="HEX|FILE", help="That of the configuration server.")
@click.option("--serial", help="A-Z, 0-9 and -; else the phone's own serial number.")
@click.option("--hardware", default=HARDWARE, show_default=True, help="What kind of device components are made for.")
@click.option("--title", help="What people read of it; else the phone's name.")
@click.option(
    "--record", type=click.Path(path_type=Path, dir_okay=False),
    help="Where the factory record goes, for the office; else standard output, in hexadecimal.",
)  # fmt: skip
@click.option(
    "--identity", type=click.Choice(list(IDENTITIES)), default="sealed-identifier", show_default=True,
    help="How it shows who it is.",
)  # fmt: skip
@click.option(
    "--again", is_flag=True,
    help="Give out the record of a device that is made, with --server-certificate sealed to a newer one's keys.",
)  # fmt: skip
def factory(
    state: Path,
    issuer: str | None,
    server_certificate: str | None,
    serial: str | None,
    hardware: str,
    title: str | None,
    record: Path | None,
    identity: str,
    again: bool,
) -> None:
    """Make a device: system key, serial number, secret, memory map, and whom it trusts."""
    with told():
        memory = open_phone(state)
        try:
            info = memory.token.info()
            title = title or info.label or info.serial
            if not again:
                _make(
                    memory, _octets("--issuer", issuer), _octets("--server-certificate", server_certificate),
                    serial or info.serial.upper(), hardware, title, identity,
                )  # fmt: skip
            elif issuer or serial:
                raise UsageError(NOT_MADE, "with --again the device's issuer and serial stay as they are", HELP)
            elif server_certificate is not None:
                _certify_anew(memory, _octets("--server-certificate", server_certificate), title)
            sealed = _record_of(memory, state)
        finally:
            memory.close()
        _make_folder(state / COMPONENTS_FOLDER)
        _give_out(sealed, record)


def _make(
    memory: Memory, issuer: bytes, certificate: bytes, serial: str, hardware: str, title: str, identity: str
) -> None:
    """Raises StartError."""
    from fob_device.components.errors import EquipmentError
    from fob_device.office.factory import factory_record, make_equipment, save_equipment
    from fob_protocol.office.errors import OfficeError

    if memory.office_items.is_made:
        what = "the phone is a device of a back office already"
        raise StartError(what, "its keys are never overwritten", "fob-device factory --again --state ...")
    try:
        device = make_equipment(issuer, certificate, serial, hardware, os.urandom)
    except (EquipmentError, OfficeError) as error:
        raise UsageError(NOT_MADE, str(error), HELP) from None
    save_equipment(memory.office_items, device, factory_record(device, title), IDENTITIES[identity])


def _certify_anew(memory: Memory, certificate: bytes, title: str) -> None:
    """Raises UsageError; for a phone that is no device `_record_of` does."""
    from fob_device.components.errors import EquipmentError
    from fob_device.office.factory import certify_anew
    from fob_protocol.office.errors import OfficeError

    if not memory.office_items.is_made:
        return
    try:
        certify_anew(memory.office_items, certificate, title)
    except (EquipmentError, OfficeError) as error:
        raise UsageError("the record was not sealed anew", str(error), HELP) from None


def _record_of(memory: Memory, state: Path) -> bytes:
    from fob_device.office.factory import RECORD

    sealed = memory.office_items.get(RECORD)
    if sealed is None:
        command = f"fob-device factory --state {shlex.quote(str(state))} --issuer ... --server-certificate ..."
        raise StartError("there is no factory record", "no factory has made this phone a device", command)
    return sealed


def _octets(option: str, value: str | None) -> bytes:
    """Hexadecimal digits, or a file that holds octets or hexadecimal digits. Raises UsageError."""
    if value is None:
        raise UsageError(NOT_MADE, f"{option} is missing", HELP)
    path = Path(value)
    # Digits may be longer than any file's name, at which Path.is_file raises.
    is_file = os.path.isfile(value)
    try:
        octets = _read(path) if is_file else value.encode()
    except OSError as error:
        raise StartError(NOT_MADE, f"{value}: {error.strerror}", HELP) from None
    try:
        return bytes.fromhex(octets.decode("ascii"))
    except ValueError:
        if is_file:
            return octets
    raise UsageError(NOT_MADE, f"{option} is neither a file nor hexadecimal digits", HELP)


def _read(path: Path) -> bytes:
    """Raises OSError."""
    with path.open("rb") as file:
        return file.read(FILE_LIMIT)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise StartError("the components have no folder", f"{folder}: {error.strerror}", HELP) from None


def _give_out(sealed: bytes, place: Path | None) -> None:
    if place is None:
        click.echo(sealed.hex())
        return
    try:
        place.write_bytes(sealed)
    except OSError as error:
        why = f"{place}: {error.strerror}"
        what = "the factory record was not written"
        raise StartError(what, why, "fob-device factory --again --record FILE") from None
    click.echo(f"the factory record is in {place}", err=True)
