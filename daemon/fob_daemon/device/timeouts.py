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
    # Question and answer of the office: 61,440 octets there and 16,384 back need 82 s at 9,600 baud.
    relay: float = 120.0
    # A person unlocks the device, and a few questions go to the office.
    office: float = 300.0
    # A person unlocks the device and types a password there (PASSWORD_TIME), and the office answers.
    password: float = 600.0
    # A set of 8 MiB needs three hours at 9,600 baud; a link that fell silent ends it much earlier.
    configure: float = 4 * 3600.0
    # A component's command runs for a second or two at most, one after the other.
    option: float = 60.0
