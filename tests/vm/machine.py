"""The virtual machine: QEMU with the image, the disk with Fob, a port for commands and one for the radio."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from vm.acceleration import QEMU, acceleration
from vm.errors import VmError
from vm.guest_shell import Guest
from vm.image import Image

MEMORY: Final = "1G"
CPUS: Final = 2

# Measured: 25 to 45 s without hardware support.
BOOT_TIME: Final = 240.0
STOP_TIME: Final = 5.0

# mitigations=off: nothing runs here that the guest would have to be protected from, and emulation is slow.
KERNEL_ARGUMENTS: Final = (
    "root=/dev/vda rootfstype=ext4 rw console=ttyS0 loglevel=4 mitigations=off systemd.show_status=no panic=-1"
)
CONSOLE_TAIL: Final = 3000


@contextmanager
def booted(image: Image, disk: Path, radio: Path, console: Path, log: IO[str]) -> Iterator[Guest]:
    """The guest, up and ready for commands; `radio` is the socket of a Bluetooth controller (H4). Raises VmError.

    The file `console` receives what the guest's kernel says; a socket is made beside the radio's.
    """
    jobs = radio.with_name("jobs.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(jobs))
        listener.listen(1)
        command = [*machine_arguments(image), *disk_arguments(image, disk), *port_arguments(jobs, radio, console)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
            try:
                listener.settimeout(STOP_TIME)
                with _accepted(listener) as port:
                    guest = Guest(port, log)
                    guest.await_hello(BOOT_TIME)
                    yield guest
            except VmError as error:
                raise VmError(f"{error}; the end of its console:\n{_tail(console)}") from None
            finally:
                _stop(process)


def machine_arguments(image: Image) -> list[str]:
    """The machine without its disks and ports. It has no network."""
    return [
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35"),
        *acceleration(image.kernel),
        *("-smp", str(CPUS), "-m", MEMORY, "-device", "virtio-rng-pci"),
    ]


def disk_arguments(image: Image, disk: Path) -> list[str]:
    """What it boots; what it writes is thrown away."""
    drives = (f"file={path},if=virtio,format=raw,snapshot=on" for path in (image.disk, disk))
    return [
        *("-kernel", str(image.kernel), "-initrd", str(image.ram_disk), "-append", KERNEL_ARGUMENTS),
        *(word for drive in drives for word in ("-drive", drive)),
    ]


def port_arguments(jobs: Path, radio: Path, console: Path) -> list[str]:
    """The command port, the radio's port, and a console that is only written."""
    return [
        *("-serial", f"file:{console}", "-device", "virtio-serial-pci"),
        *("-chardev", f"socket,id=jobs,path={jobs}", "-device", "virtserialport,chardev=jobs,name=fob.jobs"),
        *("-chardev", f"socket,id=hci,path={radio}", "-device", "virtserialport,chardev=hci,name=fob.hci"),
    ]


def _accepted(listener: socket.socket) -> socket.socket:
    try:
        port, _ = listener.accept()
    except TimeoutError:
        raise VmError(f"{QEMU} did not start") from None
    return port


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIME)
    except subprocess.TimeoutExpired:
        process.kill()


def _tail(console: Path) -> str:
    if not console.exists():
        return "(nothing)"
    return console.read_text(errors="replace")[-CONSOLE_TAIL:]
