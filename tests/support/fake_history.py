"""A phone's history as the daemon hands it on, of records made by hand; it may grow or drop while it is read."""

from collections.abc import Callable, Iterable

from fob_daemon.control.device_history import SeenError
from fob_daemon.device.views import HistoryPage
from fob_protocol.history.head import Head
from fob_protocol.history.record import LogKey, SignedRecord
from fob_protocol.history.verify import Anchor
from fob_protocol.pkcs11.errors import CkrError
from support.history import LOG_KEY, PC, head_of


class FakeHistory:
    """Implements DeviceHistory. `records` are what it says, `honest` what it once wrote."""

    def __init__(self, records: Iterable[SignedRecord], slot: int = 1, page_size: int = 4) -> None:
        self.slot = slot
        self.computer = PC
        self.records = list(records)
        self.honest = list(self.records)
        self.page_size = page_size
        self.key: LogKey = LOG_KEY
        self.anchor: Anchor | None = None
        self.refusal: CkrError | SeenError | None = None
        self.asked: list[int] = []
        self.nonces: list[bytes] = []
        # Called before each page.
        self.meanwhile: Callable[[], None] = lambda: None

    async def page(self, sequence: int) -> HistoryPage:
        self.asked.append(sequence)
        self.meanwhile()
        if isinstance(self.refusal, CkrError):
            raise self.refusal
        # By place: a record that somebody damaged has no sequence.
        first = self.honest[0].sequence if self.honest else 1
        rows = [(place + (first or 0), record) for place, record in enumerate(self.records)]
        found = [(row, record) for row, record in rows if row >= sequence]
        page = found[: self.page_size]
        following = page[-1][0] + 1 if page else sequence
        return HistoryPage(following, len(found) > len(page), tuple(record for _, record in page))

    async def head(self, nonce: bytes) -> Head:
        self.nonces.append(nonce)
        return head_of(self.honest, self.key, nonce)

    def seen(self) -> Anchor | None:
        if isinstance(self.refusal, SeenError):
            raise self.refusal
        return self.anchor

    def keep(self, anchor: Anchor) -> None:
        if isinstance(self.refusal, SeenError):
            raise self.refusal
        self.anchor = anchor
