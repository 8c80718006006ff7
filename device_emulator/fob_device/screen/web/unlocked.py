"""What a tap needs first."""

from fob_device.screen.errors import PhoneLockedError
from fob_device.screen.person import ScreenPerson


def require_person(person: ScreenPerson) -> None:
    """A tap on the unlocked phone. Raises PhoneLockedError."""
    if person.lock.is_locked:
        raise PhoneLockedError
    person.lock.touch()
