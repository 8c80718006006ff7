"""Who may bond with this computer: the device that it is pairing with at this moment, and no other."""

from bumble.pairing import PairingConfig, PairingDelegate


class OneDevice(PairingDelegate):
    """Answers for a connection. Its number is compared by nobody: the code of docs/protocol.md, section 5 follows."""

    def __init__(self, is_expected: bool) -> None:
        super().__init__(PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT)
        self._is_expected = is_expected

    async def accept(self) -> bool:
        """Whether to bond at all."""
        return self._is_expected

    async def compare_numbers(self, number: int, digits: int) -> bool:
        """Numeric comparison."""
        return self._is_expected

    async def confirm(self, auto: bool = False) -> bool:
        """Just Works: no bond without authentication."""
        return False

    async def get_number(self) -> int | None:
        """Passkey entry: nobody is asked."""
        return None


def pairing_config(is_expected: bool) -> PairingConfig:
    """LE Secure Connections with numeric comparison, under this computer's static random address."""
    return PairingConfig(
        sc=True,
        mitm=True,
        bonding=True,
        delegate=OneDevice(is_expected),
        identity_address_type=PairingConfig.AddressType.RANDOM,
    )
