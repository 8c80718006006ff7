"""Which phones ssh can use: the agent logs in by a phone's PIN pad; without one, `fob unlock` has to come first."""

from typing import Any, Final

_NEEDS_LOGIN: Final = "LOGIN_REQUIRED"
_PIN_PAD: Final = "PROTECTED_AUTHENTICATION_PATH"


def has_to_be_unlocked(device: dict[str, Any]) -> bool:
    """Whether ssh needs `fob unlock`, now or later; False too for a phone that was never here."""
    flags = device["token_flags"]
    return _NEEDS_LOGIN in flags and _PIN_PAD not in flags


def phones_to_unlock(status: dict[str, Any]) -> list[str]:
    """The names of the phones that refuse ssh now, from the daemon's status."""
    logged_in = status["agent_logged_in"]
    return [d["name"] for d in status["devices"] if has_to_be_unlocked(d) and not (logged_in and d["logged_in"])]
