"""What the PIN of a headless phone's person opened, for as long as that phone stays unlocked."""

from fob_device.approval.asking import loop_time


class Unlocked:
    """Holds the user's master key, in memory and in no `repr`. Nothing at first."""

    def __init__(self) -> None:
        self._master_key: bytes | None = None
        self._until = 0.0

    @property
    def master_key(self) -> bytes | None:
        """The user's, while the phone is unlocked."""
        return self._master_key if loop_time() < self._until else None

    def open(self, master_key: bytes, seconds: float) -> None:
        """The PIN was typed: unlocked for so long from now on; 0: not at all."""
        self._master_key, self._until = (master_key, loop_time() + seconds) if seconds else (None, 0.0)

    def lock(self) -> None:
        """Forget it."""
        self._master_key = None
