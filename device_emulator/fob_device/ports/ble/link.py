"""One connection: whether its key is good enough, the line it carries, and the bond that it may leave behind."""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, Final

from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import Connection
from bumble.gatt import Characteristic
from bumble.keys import PairingKeys

from fob_device.bonds import Bond
from fob_device.line.phone_lines import LineHandler, PhoneLines
from fob_device.ports.ble.bonding import BondingSession
from fob_device.ports.ble.outgoing import Outgoing, TooMuchUnsentError
from fob_device.ports.ble.tempo import Ask, Tempo
from fob_device.store.errors import TokenFileError
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.frames import DELIMITER
from fob_protocol.link.gatt import ATT_HEADER, PROVING_TIME, value_size
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.air import air_pace, sure_interval
from fob_protocol.session.pace import Pace

# Seconds for whatever the stack is asked to do with a connection.
GATT_TIME: Final = 5.0

# Packets of one line that the controller holds at once: what one connection event carries. A computer that walked
# away so blocks no other one's line.
PACKETS_AT_ONCE: Final = 4
# Octets of L2CAP before an attribute packet (Core 5.4, vol. 3, part A, 3.1).
L2CAP_HEADER: Final = 4

# The random number and diversifier of a key that Secure Connections made (Core 5.4, vol. 3, part H, 2.4.4.1).
NO_RANDOM: Final = bytes(8)
NO_DIVERSIFIER: Final = 0


class BleLink:
    """What the device knows of a connected computer. `to_pc` is the characteristic that notifies.

    By `ask` it asks for other connection intervals; None where it leaves them to the computer.
    """

    def __init__(
        self, connection: Connection, lines: PhoneLines, to_pc: "Characteristic[bytes]", ask: Ask | None
    ) -> None:
        self._connection = connection
        self._lines = lines
        self._to_pc = to_pc
        self._loop = asyncio.get_running_loop()
        self._line: LineHandler | None = None
        self._outgoing = Outgoing()
        self._news = asyncio.Event()
        self._packets_given = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._sender: asyncio.Task[None] | None = None
        self._bond: Bond | None = None
        # The key that the controller was given last, and the one that encrypts.
        self._offered: bytes | None = None
        self._key: bytes | None = None
        self._pc: bytes | None = None
        self._closing: asyncio.Task[None] | None = None
        self._tempo = None if ask is None else Tempo(connection, ask, self._start)
        self._deadline = self._loop.call_later(self.pace().stretched(PROVING_TIME), self.close)
        connection.on(Connection.EVENT_PAIRING, self._bonded)
        connection.on(Connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, self._encryption_changed)
        connection.on(Connection.EVENT_CONNECTION_ENCRYPTION_KEY_REFRESH, self._encryption_changed)

    @property
    def is_proven(self) -> bool:
        """Whether the key that encrypts is authenticated, from Secure Connections, and 16 octets long.

        The stack's own flags do not say: it takes any encryption for an authenticated one.
        """
        return bool(self._connection.is_encrypted) and self._key is not None

    @property
    def is_subscribed(self) -> bool:
        """Whether there is a line."""
        return self._line is not None

    def pace(self) -> Pace:
        """As the connection's interval and MTU are now."""
        told = self._connection.parameters
        interval = sure_interval(told.connection_interval, told.peripheral_latency, told.subrate_factor)
        return air_pace(interval, value_size(self._connection.att_mtu))

    def long_term_key(self, session: BondingSession | None, random: bytes, diversifier: int) -> bytes | None:
        """The key for the encryption that the computer asks for; only ones that are good enough are ever given."""
        self._offered = self._key = None
        if (random, diversifier) == (NO_RANDOM, NO_DIVERSIFIER):
            self._offered = (session and session.long_term_key) or self._bonded_key()
        return self._offered

    def subscribe(self) -> None:
        """The computer listens: a line begins."""
        if self._line is None:
            self._line = self._lines(self._write, self._paired, self.close, self.pace)
            self._sender = self._start(self._send())

    def unsubscribe(self) -> None:
        """The computer listens no more: the line ends."""
        line, self._line = self._line, None
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        self._outgoing = Outgoing()
        if line is not None:
            line.hang_up()

    def receive(self, value: bytes) -> None:
        """The computer wrote."""
        if self._line is not None:
            self._line.data_received(value)
            self._count_frames(value)

    def disconnected(self) -> None:
        """The connection is over. A bond that came to nothing was never stored."""
        self._deadline.cancel()
        self.unsubscribe()
        if self._tempo is not None:
            self._tempo.end()
        for task in self._tasks:
            task.cancel()

    def unpaired(self, pc_key: bytes) -> None:
        """A computer was unpaired; if it is this one, it has to go."""
        if self._pc == pc_key:
            self.close()

    def close(self, reason: int = hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR) -> None:
        """End the connection."""
        if self._closing is None:
            self.unsubscribe()
            # It ends by itself; the stack fails when it is cancelled in the moment in which the connection is over.
            self._closing = self._loop.create_task(self._disconnect(reason))

    def _bonded_key(self) -> bytes | None:
        """The key of this connection's bond, or of an earlier one's."""
        if self._bond is None:
            address = str(self._connection.peer_address)
            try:
                self._bond, self._pc = self._lines.phone.bonds.find(address), self._lines.phone.bonds.owner(address)
            except (CkrError, TokenFileError):
                return None
        return None if self._bond is None else self._bond.ltk

    def _encryption_changed(self) -> None:
        self._key = self._offered if self._connection.is_encrypted else None
        if self.is_proven and self._pc is not None:
            self._deadline.cancel()

    def _bonded(self, keys: PairingKeys) -> None:
        """The stack has made a bond; it counts for this connection until the computer is paired."""
        if keys.ltk is None or keys.ltk.value != self._key:
            self.close()
            return
        irk = keys.irk.value if keys.irk is not None and any(keys.irk.value) else None
        self._bond, self._pc = Bond(str(self._connection.peer_address), keys.ltk.value, irk), None
        self._deadline.cancel()
        self._deadline = self._loop.call_later(self.pace().stretched(PAIRING_TIME), self.close)

    def _paired(self, pc_key: bytes) -> None:
        """Section 5 is done on this connection: the bond is the computer's, and stays."""
        if self._bond is None:
            return
        try:
            self._lines.phone.bonds.keep(pc_key, self._bond)
        except CkrError:
            # The computer is paired all the same, and bonds again when it comes back.
            return
        self._pc = pc_key
        self._deadline.cancel()
        self._start(self._connection.device.refresh_resolving_list())

    def _count_frames(self, value: bytes) -> None:
        frames = value.count(DELIMITER)
        if frames and self._tempo is not None:
            self._tempo.used(frames)

    def _write(self, octets: bytes) -> None:
        try:
            self._outgoing.add(octets)
        except TooMuchUnsentError:
            self.close()
        self._news.set()

    async def _send(self) -> None:
        """Give the stack one value after the other, each when it has room for it."""
        while True:
            while not self._outgoing:
                self._news.clear()
                await self._news.wait()
            value = self._outgoing.next_value(value_size(self._connection.att_mtu))
            try:
                async with asyncio.timeout(self.pace().stretched(GATT_TIME)):
                    await self._await_room(len(value))
                    await self._connection.device.notify_subscriber(self._connection, self._to_pc, value, force=True)
            except (TimeoutError, BaseBumbleError):
                self.close()
                return

    async def _await_room(self, size: int) -> None:
        queue = self._connection.data_packet_queue
        if queue is None:
            return
        packets = math.ceil((L2CAP_HEADER + ATT_HEADER + size) / queue.max_packet_size)
        # What the controller holds is all connections'; no more than that of it can be this one's.
        self._packets_given = min(self._packets_given, queue.pending)
        if self._packets_given + packets > PACKETS_AT_ONCE:
            await self._connection.drain()
            self._packets_given = 0
        while queue.pending >= queue.max_in_flight:
            moved = asyncio.Event()
            queue.once("flow", moved.set)
            await moved.wait()
        self._packets_given += packets

    async def _disconnect(self, reason: int) -> None:
        try:
            async with asyncio.timeout(self.pace().stretched(GATT_TIME)):
                await self._connection.disconnect(reason)
        except (TimeoutError, BaseBumbleError):
            # Gone already, or the controller is; then the port is opened again.
            pass

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
