"""Bonding: LE Secure Connections with numeric comparison, or nothing (docs/protocol.md, section 8).

Nobody compares the number. The device accepts it while its person holds pairing open, and what the bond is worth is
found out by section 5 on the same connection.
"""

from collections.abc import Callable
from typing import Final

from bumble import smp
from bumble.pairing import PairingConfig, PairingDelegate

from fob_device.bonds import KEY_SIZE

# What a computer has to ask for (Core 5.4, vol. 3, part H, 3.5.1).
NEEDED: Final = smp.AuthReq.BONDING | smp.AuthReq.MITM | smp.AuthReq.SC
CAN_COMPARE: Final = (smp.IoCapability.DISPLAY_YES_NO, smp.IoCapability.KEYBOARD_DISPLAY)

NO_REASON: Final = 0


def why_not(request: smp.SMP_Pairing_Request_Command) -> smp.ErrorCode | None:
    """Why a request to bond would end with less than section 8 wants."""
    if request.maximum_encryption_key_size < KEY_SIZE:
        return smp.ErrorCode.ENCRYPTION_KEY_SIZE
    if request.auth_req & NEEDED != NEEDED or request.io_capability not in CAN_COMPARE:
        return smp.ErrorCode.AUTHENTICATION_REQUIREMENTS
    if request.oob_data_flag:
        return smp.ErrorCode.OOB_NOT_AVAILABLE
    return None


class BondingSession(smp.Session):
    """One attempt to bond, step by step; one that failed makes room for the next."""

    has_begun = False
    # The long-term key can be used: both sides have shown that they agree on everything.
    is_agreed = False

    def on_smp_command(self, command: smp.SMP_Command) -> None:
        """An attempt begins with its first step, once."""
        if isinstance(command, smp.SMP_Pairing_Request_Command) == self.has_begun:
            if not isinstance(command, smp.SMP_Pairing_Failed_Command):
                self.send_pairing_failed(smp.ErrorCode.UNSPECIFIED_REASON)
            return
        super().on_smp_command(command)

    async def on_smp_pairing_request_command_async(self, command: smp.SMP_Pairing_Request_Command) -> None:
        """The first step."""
        reason = why_not(command)
        if reason is None:
            await super().on_smp_pairing_request_command_async(command)
        else:
            self.send_pairing_failed(reason)

    def on_smp_pairing_request_command(self, command: smp.SMP_Pairing_Request_Command) -> None:
        self.has_begun = True
        super().on_smp_pairing_request_command(command)

    def send_pairing_dhkey_check_command(self) -> None:
        self.is_agreed = True
        super().send_pairing_dhkey_check_command()

    def on_pairing_failure(self, reason: smp.ErrorCode) -> None:
        self.is_agreed = False
        super().on_pairing_failure(reason)
        self.on_disconnection(NO_REASON)

    @property
    def long_term_key(self) -> bytes | None:
        """The key that was made, as soon as it may encrypt."""
        is_strong = self.sc and self.pairing_method is smp.PairingMethod.NUMERIC_COMPARISON
        return self.ltk if self.is_agreed and is_strong else None


class Consent(PairingDelegate):
    """Says yes for the device's person while pairing is open."""

    def __init__(self, is_open: Callable[[], bool]) -> None:
        super().__init__(PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT)
        self._is_open = is_open

    async def accept(self) -> bool:
        """May it begin?"""
        return self._is_open()

    async def compare_numbers(self, number: int, digits: int) -> bool:
        """May it end well?"""
        return self._is_open()

    async def confirm(self, auto: bool = False) -> bool:
        """Never without numbers."""
        return False

    async def get_number(self) -> int | None:
        """No passkeys."""
        return None


def pairing_config(is_open: Callable[[], bool]) -> PairingConfig:
    """How the device bonds; its identity is its static random address."""
    return PairingConfig(
        sc=True,
        mitm=True,
        bonding=True,
        delegate=Consent(is_open),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )
