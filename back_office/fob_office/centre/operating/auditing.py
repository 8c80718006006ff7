"""An operator holds the tables against the log (M23)."""

from functools import partial

from fob_office.centre.auditing.audit import Audited, Progress, Trusted, audit
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.transaction import HeldCheckpoint
from fob_office.centre.operating.log import log_keys
from fob_office.centre.operating.operator import Operator
from fob_protocol.metering.log.checkpoint import origin_of


async def audit_centre(operator: Operator, progress: Progress) -> Audited:
    """Every table; each transaction box has to answer.

    Raises BusRefusedError, AwayError, DirectoryError, OperatorError.
    """
    directory = operator.links.directory
    held = {
        entry.name: (await operator.one(entry.name, HeldCheckpoint())).checkpoint
        for entry in directory.of_kind(Kind.TRANSACTION)
    }
    shown = (directory.pass_of(entry.name) for entry in directory.of_kind(Kind.PAYMENT))
    providers = tuple(each.signing for each in shown if each.signing is not None)
    trusted = Trusted(held, origin_of(operator.manufacturing), log_keys(operator), providers, operator.now())
    return await audit(partial(operator.any, Kind.DATABASE), trusted, progress)
