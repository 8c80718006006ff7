"""Commands of the catalogue over a device's link, one round trip each: what `RemoteToken` and `RemoteOffice` ask by."""

from typing import Final

from fob_daemon.device.away import AwayError
from fob_daemon.link.interface import Link
from fob_daemon.link.unpaired import UnpairedError
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Value, Values
from fob_protocol.catalogue import CommandSpec
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import TEXT_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# Digits, commas and block heads of one value, and the command's name.
VALUE_OVERHEAD: Final = 8
NAME_OVERHEAD: Final = 32


class Commands:
    """The commands of one device."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def ask(self, seconds: float, spec: CommandSpec, *values: Value) -> Answer:
        """One round trip; an answer that is a refusal raises. Raises CkrError (see `RemoteToken`)."""
        return accepted(await self.request(seconds, spec, *values))

    async def request(self, seconds: float, spec: CommandSpec, *values: Value) -> Answer:
        """One round trip, whatever the answer. Raises CkrError when there is none."""
        if _size(values) > TEXT_LIMIT:
            raise CkrError(Ckr.DATA_LEN_RANGE, f"more than {TEXT_LIMIT} octets for the device")
        try:
            command = spec.build(*values)
        except AtSyntaxError as error:
            raise CkrError(Ckr.ARGUMENTS_BAD, str(error)) from None
        try:
            return await self.link.request(command, timeout=seconds)
        except UnpairedError:
            raise
        except CkrError as error:
            if error.ckr is Ckr.DEVICE_REMOVED:
                raise AwayError(error.reason) from None
            raise


def accepted(answer: Answer) -> Answer:
    """Raises CkrError for a refusal."""
    if answer.ckr == Ckr.DEVICE_REMOVED:
        raise UnpairedError
    answer.raise_for_ckr()
    return answer


def _size(values: Values) -> int:
    """At least the octets that the command will have."""
    content = sum(len(value) for value in values if isinstance(value, bytes))
    return NAME_OVERHEAD + content + VALUE_OVERHEAD * len(values)
