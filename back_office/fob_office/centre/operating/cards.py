"""What the emulated payment provider has of a mailer, and what an operator says of it (M29)."""

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.payment import Carded, FetchCard, SetCard
from fob_office.centre.operating.meters import account_of
from fob_office.centre.operating.operator import Operator


async def show_card(operator: Operator, serial: str) -> Carded:
    """Of the meter's mailer. Raises BusRefusedError NO_METER."""
    return await operator.any(Kind.PAYMENT, FetchCard(await account_of(operator, serial)))


async def set_card(operator: Operator, serial: str, balance: int | None, is_refused: bool | None) -> Carded:
    """None: as before. Raises BusRefusedError NO_METER."""
    return await operator.any(Kind.PAYMENT, SetCard(await account_of(operator, serial), balance, is_refused))
