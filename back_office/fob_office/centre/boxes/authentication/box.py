"""What the authentication box answers (fob_office.centre.commands.authentication)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.authentication.attempts import Attempts
from fob_office.centre.boxes.authentication.mailers import Mailers
from fob_office.centre.boxes.authentication.others import Others
from fob_office.centre.boxes.authentication.passwords import COST, Cost, Passwords
from fob_office.centre.boxes.authentication.permitting import Permitting
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.boxes.authentication.recovering import Recovering
from fob_office.centre.boxes.authentication.sharing import Sharing
from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.duties import duties
from fob_office.centre.boxes.store import Store, open_store
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import (
    FetchUsers,
    NoteUser,
    Permit,
    PermitRefill,
    RecordUser,
    RecoverMailer,
    SeenMailer,
    ShowUser,
    SignOn,
)
from fob_protocol.noise.keys import KeyPair


def authentication_table(box: Box, store: Store, passwords: Passwords, records: UserRecords, sharing: Sharing) -> Table:
    """Who may ask what."""
    permitting = Permitting(box.vault, records, box.surroundings)
    sealing = KeyPair.from_private_bytes(box.identity.sealing).private
    attempts = Attempts(store, box.surroundings.clock)
    recovering = Recovering(box.vault, records, box.surroundings)
    alarm = Alarm(box.links, box.surroundings)
    mailers = Mailers(box.vault, sealing, records, passwords, attempts, box.surroundings, alarm)
    return {
        Permit: row([Kind.FUNCTION], permitting.permit),
        PermitRefill: row([Kind.FUNCTION], permitting.permit_refill),
        RecordUser: row([Kind.FUNCTION], mailers.record_user),
        SignOn: row([Kind.FUNCTION], mailers.sign_on),
        SeenMailer: row([Kind.OPERATOR], recovering.seen),
        RecoverMailer: row([Kind.FUNCTION], recovering.recover),
        ShowUser: row([Kind.FUNCTION], sharing.show),
        NoteUser: row([Kind.AUTHENTICATION], sharing.note),
        FetchUsers: row([Kind.AUTHENTICATION], sharing.fetch),
    }


@asynccontextmanager
async def authentication_box(box: Box, cost: Cost = COST) -> AsyncIterator[Table]:
    """Its Factory."""
    with open_store(box.folder) as store, closing(Passwords(box.surroundings.random, cost)) as passwords:
        others = Others(box.name, box.links)
        records = UserRecords(box.vault, store, others)
        sharing = Sharing(records, others, box.surroundings)
        async with duties(sharing.learn):
            yield authentication_table(box, store, passwords, records, sharing)
