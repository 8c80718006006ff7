"""Whether the software that computed the postage was validated (X5)."""

from collections.abc import Callable
from dataclasses import dataclass

from fob_office.centre.function.refusing import refused
from fob_office.centre.function.settings import FunctionSettings
from fob_protocol.integrity.relying import NotAdmitted, NotAdmittedError
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.office.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Presenting:
    """Of one function server."""

    settings: FunctionSettings
    clock: Callable[[], int]

    def admit(self, presentation: bytes, request_id: bytes, value_kind: str) -> Ticket:
        """The ticket of whoever asks. Raises RuleBrokenError NOT_VALIDATED."""
        party = self.settings.rates.get(value_kind)
        if party is None:
            raise refused(Refusal.NOT_VALIDATED, f"no software franks {value_kind} here")
        try:
            return party.admit(presentation, self.settings.audience, request_id, self.clock())
        except NotAdmittedError as error:
            if error.code is NotAdmitted.OTHER_PROGRAM:
                # He knows both, and nothing else says that it is no ticket of today that helps.
                raise refused(Refusal.NOT_VALIDATED, f"{error.why} for {value_kind}", is_told=True) from None
            raise refused(Refusal.NOT_VALIDATED, str(error)) from None
