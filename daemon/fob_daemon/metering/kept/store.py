"""What this computer keeps of one device's meter: batches, orders, indicia, and what the device told of itself."""

from pathlib import Path

from fob_daemon.metering.kept.file import StoreFile
from fob_daemon.metering.kept.job_rows import JobRows
from fob_daemon.metering.kept.order_rows import OrderRows
from fob_daemon.metering.kept.told_rows import ToldRows


class MeterStore:
    """Its rows, by what they are of. Several threads may use it, one at a time."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self.jobs = JobRows(file)
        self.orders = OrderRows(file)
        self.told = ToldRows(file)

    @classmethod
    def at(cls, path: Path) -> "MeterStore":
        """Nothing is made there before there is something to keep."""
        return cls(StoreFile(path))
