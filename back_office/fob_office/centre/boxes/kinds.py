"""What each kind of process does: one factory a kind."""

from collections.abc import Mapping
from typing import Final

from fob_office.centre.boxes.authentication.box import authentication_box
from fob_office.centre.boxes.box import Factory
from fob_office.centre.boxes.manufacturing import manufacturing_box
from fob_office.centre.boxes.meter.box import meter_box
from fob_office.centre.boxes.steel.box import steel_box
from fob_office.centre.boxes.transaction.box import transaction_box
from fob_office.centre.bus.passes import Kind
from fob_office.centre.communication.server import communication_server
from fob_office.centre.database.process import database_server
from fob_office.centre.function.server import function_server
from fob_office.centre.payment.process import payment_provider

FACTORIES: Final[Mapping[Kind, Factory]] = {
    Kind.MANUFACTURING: manufacturing_box,
    Kind.STEEL: steel_box,
    Kind.METER: meter_box,
    Kind.AUTHENTICATION: authentication_box,
    Kind.TRANSACTION: transaction_box,
    Kind.FUNCTION: function_server,
    Kind.DATABASE: database_server,
    Kind.COMMUNICATION: communication_server,
    Kind.PAYMENT: payment_provider,
}
