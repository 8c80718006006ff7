"""A paired device's desk."""

import os
from pathlib import Path

from fob_daemon.device.device import Device
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.metering.desk import MeterDesk
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.remote_meter import RemoteMeter


def open_desk(device: Device, path: Path, timeouts: Timeouts) -> MeterDesk:
    """`path`: what this computer keeps of its meter. Nothing is made before there is something to keep."""
    remote = RemoteMeter(device.slot.remote, timeouts)
    return MeterDesk(remote, device.back_office.remote, MeterStore.at(path), os.urandom)
