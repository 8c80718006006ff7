"""What the transaction box answers (fob_office.centre.commands.transaction)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.boxes.store import Store, open_store
from fob_office.centre.boxes.transaction.attesting import Attesting
from fob_office.centre.boxes.transaction.charging import Charging
from fob_office.centre.boxes.transaction.funding import Funding, Providers
from fob_office.centre.boxes.transaction.witnessing import Witnessing
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.transaction import (
    Attest,
    FundOwed,
    FundPaid,
    GoOn,
    HeldCheckpoint,
    OrderCharge,
    SignCheckpoint,
)


def transaction_table(box: Box, store: Store) -> Table:
    """Who may ask what."""
    key = signing_key(box.identity)
    providers = Providers(box.links.directory, box.me.trust)
    alarm = Alarm(box.links, box.surroundings)
    funding = Funding(box.vault, providers, box.surroundings, alarm)
    attesting = Attesting(box.vault, key, alarm)
    charging = Charging(box.vault, key, box.surroundings, alarm)
    witnessing = Witnessing(box, store, key)
    return {
        OrderCharge: row([Kind.FUNCTION], charging.order_charge),
        FundPaid: row([Kind.FUNCTION], funding.fund_paid),
        FundOwed: row([Kind.FUNCTION], funding.fund_owed),
        Attest: row([Kind.FUNCTION], attesting.attest),
        SignCheckpoint: row([Kind.DATABASE], witnessing.sign_checkpoint),
        HeldCheckpoint: row([Kind.OPERATOR], witnessing.held_checkpoint),
        GoOn: row([Kind.OPERATOR], witnessing.go_on),
    }


@asynccontextmanager
async def transaction_box(box: Box) -> AsyncIterator[Table]:
    """Its Factory."""
    with open_store(box.folder) as store:
        yield transaction_table(box, store)
