"""A device's history at the control socket: pages of records, its head, and what this computer has seen of it.

The daemon hands on what the device says; `fob log --verify` checks it (docs/protocol.md, section 4.2).
"""

from dataclasses import dataclass

from fob_daemon.control.device_history import DeviceHistory, SeenError
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView
from fob_daemon.control.json_form import Json
from fob_daemon.control.refusals import refused
from fob_daemon.control.requests import GetHistory, GetHistoryHead, KeepHistory
from fob_daemon.device.views import HistoryPage
from fob_protocol.history.entry import computer_id
from fob_protocol.history.head import Head
from fob_protocol.history.record import SignedRecord
from fob_protocol.pkcs11.errors import CkrError


@dataclass(frozen=True, slots=True)
class HistoryHandlers:
    """Every method raises ControlError to refuse."""

    daemon: DaemonView

    async def answer(self, request: GetHistory | GetHistoryHead | KeepHistory) -> Json:
        """The JSON value of the answer."""
        history = self.daemon.history(request.device)
        try:
            match request:
                case GetHistory(_, sequence):
                    return _page_json(await history.page(sequence))
                case GetHistoryHead(_, nonce):
                    return _head_json(await history.head(nonce), history)
                case KeepHistory(_, anchor):
                    history.keep(anchor)
                    return {}
        except CkrError as error:
            what = f"the history of '{request.device}' was not read"
            raise refused(what, error, self.daemon, history.slot) from None
        except SeenError as error:
            what = f"what was seen of the history of '{request.device}' is of no use"
            raise ControlError(what, str(error), error.next_command, ExitCode.FAILED) from None


def _page_json(page: HistoryPage) -> Json:
    return {"next": page.next, "more": page.more, "records": [_record_json(record) for record in page.records]}


def _record_json(record: SignedRecord) -> Json:
    return {
        "record": record.block.hex(),
        "signature": record.signature.hex(),
        "salt": None if record.salt is None else record.salt.hex(),
        "details": None if record.details is None else record.details.hex(),
    }


def _head_json(head: Head, history: DeviceHistory) -> Json:
    seen = history.seen()
    return {
        "first": head.end.first,
        "length": head.end.length,
        "hash": head.end.hash.hex(),
        "key": head.key.hex(),
        "signature": head.signature.hex(),
        "computer": computer_id(history.computer).hex(),
        "seen": None if seen is None else {"key": seen.key.hex(), "length": seen.length, "hash": seen.hash.hex()},
    }
