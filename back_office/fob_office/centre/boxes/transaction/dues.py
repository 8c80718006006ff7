"""What a meter box says is due, and whether a permission is for just that (M29)."""

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.following import rule_digest
from fob_office.centre.words import Word
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.vouchers import Due, Permission


def fresh_due(vault: Vault, signed: bytes, now: int) -> Due:
    """Of whatever meter. Raises BusRefusedError TAMPERING, STALE."""
    due = codes.read_due(vault, signed)
    if not now - PERMISSION_TIME <= due.time <= now + CLOCK_SKEW:
        raise BusRefusedError(Word.STALE, f"what a meter box says is due is good for {PERMISSION_TIME} s")
    return due


def fresh_permission(vault: Vault, signed: bytes, due: Due, now: int) -> Permission:
    """Of the account and meter of what is due. Raises BusRefusedError TAMPERING, STALE."""
    permission = codes.read_permission(vault, signed)
    codes.check_fresh(permission, now)
    if (permission.account, permission.serial) != (due.account, due.serial):
        raise unpermitted("another account, or another meter")
    return permission


def check_rule(permission: Permission, due: Due, below: int | None) -> None:
    """A refill is permitted while less than its level is there. Raises BusRefusedError TAMPERING."""
    if permission.pieces is None:
        return
    level = below or 0
    if permission.pieces != rule_digest(level) or due.descending >= level:
        raise unpermitted("no refill is due")


def unpermitted(why: str) -> BusRefusedError:
    """To be raised."""
    return BusRefusedError(Word.TAMPERING, f"nobody permitted this charge: {why}")
