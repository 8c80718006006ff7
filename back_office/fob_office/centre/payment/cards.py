"""What an operator sees and says of the emulated provider's cards, so that refusals come when somebody wants them."""

from functools import partial

from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.payment import Carded, FetchCard, SetCard
from fob_office.centre.payment.emulated import EmulatedProvider
from fob_office.centre.payment.ledger import Terms, card, set_card, sums
from fob_office.centre.words import Word
from fob_protocol.metering.limits import ACCOUNT_SIZE, AMOUNT_LIMIT

_OPERATOR = (Kind.OPERATOR,)


def card_table(provider: EmulatedProvider, terms: Terms) -> Table:
    """For operators alone."""

    async def fetch(_: Pass, asked: FetchCard) -> Carded:
        _check_account(asked.account)
        found = await provider.do(partial(card, account=asked.account, terms=terms))
        paid = await provider.do(partial(sums, account=asked.account))
        return Carded(found.balance, found.is_refused, paid.charged, paid.paid_back, paid.payments)

    async def change(peer: Pass, asked: SetCard) -> Carded:
        _check_account(asked.account)
        if asked.balance is not None and not 0 <= asked.balance <= AMOUNT_LIMIT:
            raise BusRefusedError(Word.MALFORMED, f"a card has between 0 and {AMOUNT_LIMIT}")
        await provider.do(
            partial(set_card, account=asked.account, terms=terms, balance=asked.balance, is_refused=asked.is_refused)
        )
        return await fetch(peer, FetchCard(asked.account))

    return {FetchCard: row(_OPERATOR, fetch), SetCard: row(_OPERATOR, change)}


def _check_account(account: bytes) -> None:
    if len(account) != ACCOUNT_SIZE:
        raise BusRefusedError(Word.MALFORMED, f"an account has {ACCOUNT_SIZE} octets")
