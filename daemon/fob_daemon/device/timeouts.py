"""How long each kind of command may take, in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Injected, so that a test or a configuration file can shorten them."""

    # Answered from the device's memory; a page of 24 KiB needs 25 s at 9,600 baud.
    query: float = 40.0
    # A person may type the PIN on the device.
    login: float = 60.0
    # On the device: the old PIN, and the new one twice.
    set_pin: float = 120.0
    # A person may have to take the phone out and approve.
    private_operation: float = 60.0
    # An RSA-4096 key pair on a phone.
    key_generation: float = 120.0
    # A certificate of 32 KiB needs 34 s at 9,600 baud.
    change: float = 60.0
