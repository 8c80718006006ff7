"""Steel, authentication and transaction boxes in this process, without a bus, and the mailer who asks them."""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.boxes.authentication.box import authentication_box
from fob_office.centre.boxes.authentication.passwords import Cost
from fob_office.centre.boxes.box import Box, Factory, guarded
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.boxes.steel.box import steel_box
from fob_office.centre.boxes.steel.owners import Owner, OwnersKey, seal_owners_key
from fob_office.centre.boxes.transaction.box import transaction_box
from fob_office.centre.bus.answering import Server
from fob_office.centre.bus.commands import Command, ReplyT, encode_command, read_reply, split_answer
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.authentication import Permit, RecordUser, SignOn
from fob_office.centre.commands.steel import GiveKey, OrderUser
from fob_protocol.cose import hpke, mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.login import seal_password
from fob_protocol.metering.records import Refill, UserRecord
from fob_protocol.metering.requests import Authenticated, SignOnRequest, SignUpRequest, authenticated
from fob_protocol.noise.keys import KeyPair
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.centre_boxes import Boxes

EUR: Final = "eur-cent"
PASSWORD: Final = "a horse with a stamp"
# As little as Argon2id can be: nobody guesses at these.
CHEAP: Final = Cost(iterations=1, memory_kib=8, lanes=1)
FACTORIES: Final[dict[Kind, Factory]] = {
    Kind.STEEL: steel_box,
    Kind.AUTHENTICATION: partial(authentication_box, cost=CHEAP),
    Kind.TRANSACTION: transaction_box,
}


def peer(kind: Kind) -> Pass:
    """Who asks."""
    return Pass(kind, f"{kind.word}-9", bytes(32), bytes(32), None, 1, 1 << 40)


class KeyBoxes:
    """Open boxes by name; whoever asks does it as over the bus, with octets."""

    def __init__(self, boxes: Boxes, stack: AsyncExitStack) -> None:
        self.boxes = boxes
        self.open: dict[str, Box] = {}
        self._servers: dict[str, Server] = {}
        self._stacks: dict[str, AsyncExitStack] = {}
        self._stack = stack

    async def start(self, name: str) -> Box:
        """As its process does; of a kind that others test, only its keys are opened."""
        box = self.open[name] = self.boxes.open(name)
        if box.kind not in FACTORIES:
            return box
        stack = self._stacks[name] = await self._stack.enter_async_context(AsyncExitStack())
        table = await stack.enter_async_context(FACTORIES[box.kind](box))
        self._servers[name] = Server(box.me, guarded(box.folder, table))
        if box.kind is Kind.AUTHENTICATION:
            # They ask one another.
            stack.callback(box.links.close)
            await self._servers[name].listen(self.boxes.address(name))
            stack.push_async_callback(self._servers[name].close)
        return box

    async def stop(self, name: str) -> None:
        """It can be started again."""
        stack = self._stacks.pop(name, None)
        if stack is not None:
            await stack.aclose()

    async def ask(self, name: str, command: Command[ReplyT], kind: Kind = Kind.FUNCTION) -> ReplyT:
        """Raises BusRefusedError."""
        server = self._servers[name]
        number, read = server.reader.read(encode_command(7, command))
        if isinstance(read, BusRefusedError):
            raise read
        _, answer = split_answer(await server.answer(peer(kind), number, read))
        if isinstance(answer, BusRefusedError):
            raise answer
        return read_reply(command, answer)

    async def give_keys(self, value_kind: str = EUR, version: int = 1, box: str = "steel-1") -> None:
        """Of vendor and post."""
        for owner in Owner:
            await self.give_key(owner, value_kind, version, box)

    async def give_key(
        self, owner: Owner, value_kind: str = EUR, version: int = 1, box: str = "steel-1", secret: bytes | None = None
    ) -> None:
        key = OwnersKey(owner, value_kind, version, secret or owners_secret(owner, value_kind, version))
        sealed = seal_owners_key(self.sealing_key(box), key)
        await self.ask(box, GiveKey(owner, value_kind, version, sealed), Kind.OPERATOR)

    def sealing_key(self, name: str) -> bytes:
        """Of its pass."""
        return self.open[name].links.directory.pass_of(name).sealing

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """Of a box that signs."""
        return signing_key(self.boxes.open(name).identity)


def owners_secret(owner: str, value_kind: str, version: int) -> bytes:
    """What an owner gives."""
    return digest(f"{owner} {value_kind} {version}".encode())


@asynccontextmanager
async def key_boxes(folder: Path, *names: str) -> AsyncIterator[KeyBoxes]:
    """With these boxes started: `steel-1`, `authentication-1`..."""
    boxes = Boxes(folder)
    async with AsyncExitStack() as stack:
        world = KeyBoxes(boxes, stack)
        for name in names:
            boxes.make(Kind[name.split("-")[0].upper()], name)
            await world.start(name)
        yield world


@dataclass
class MailerDevice:
    """A mailer's device. `record` is what the database has of the mailer."""

    world: KeyBoxes
    name: str = "Anna"
    seed: int = 5
    account: bytes = b""
    key: bytes = field(default=b"", repr=False)
    record: bytes = b""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed).randbytes
        self.signing = Ed25519PrivateKey.from_private_bytes(self.random(32))
        self.sealing = KeyPair.from_private_bytes(self.random(32))

    @property
    def now(self) -> int:
        return self.world.boxes.now

    def sign_up(self, password: str = PASSWORD, box: str = "authentication-1", **other: object) -> SignUpRequest:
        """What the device asks for; `other` elements as said."""
        request = SignUpRequest(
            request_id=self.random(16),
            name=self.name,
            password=b"",
            value_kind=EUR,
            payment=Payment.PREPAID,
            refill=Refill(500, 2_000),
            origins=("20095", "10115"),
            presentation=b"",
            signing_key=self.signing.public_key().public_bytes_raw(),
            sealing_key=self.sealing.public,
            time=self.now,
        )
        request = replace(request, **other)
        return replace(request, password=seal_password(self.world.sealing_key(box), request, password))

    def sign_on(self, password: str = PASSWORD, box: str = "authentication-1", **other: object) -> SignOnRequest:
        request = SignOnRequest(
            request_id=self.random(16),
            name=self.name,
            password=b"",
            presentation=b"",
            signing_key=self.signing.public_key().public_bytes_raw(),
            sealing_key=self.sealing.public,
            time=self.now,
        )
        request = replace(request, **other)
        return replace(request, password=seal_password(self.world.sealing_key(box), request, password))

    async def signs_up(self, request: SignUpRequest | None = None, box: str = "authentication-1") -> bytes:
        """As function servers do: the user record, which is stored."""
        request = request or self.sign_up()
        ordered = await self.world.ask("steel-1", OrderUser(None, request.sealing_key, digest(request.octets())))
        command = RecordUser(ordered.order, request.signed(self.signing))
        self.record = (await self.world.ask(box, command)).record
        self.account = user_of(self.record).account
        self.key = self.opened(ordered.key)
        return self.record

    async def signs_on(
        self, request: SignOnRequest | None = None, record: bytes | None = None, box: str = "authentication-1"
    ) -> bytes:
        """`record`: what the database has of the name."""
        request = request or self.sign_on()
        account = None if record is None else user_of(record).account
        ordered = await self.world.ask("steel-1", OrderUser(account, request.sealing_key, digest(request.octets())))
        command = SignOn(record, ordered.order, request.signed(self.signing))
        self.record = (await self.world.ask(box, command)).record
        self.account = user_of(self.record).account
        self.key = self.opened(ordered.key)
        return self.record

    def opened(self, sealed: bytes) -> bytes:
        """The user authentication key, as the device opens it."""
        account = self.account or user_of(self.record).account
        private: X25519PrivateKey = self.sealing.private
        return hpke.unseal_with(private, Label.USER_AUTHENTICATION_KEY, [account], sealed)

    async def permit(
        self, request: Authenticated, *, record: bytes | None = None, box: str = "authentication-1"
    ) -> bytes | None:
        """The permission."""
        command = Permit(self.record if record is None else record, authenticated(self.key, request))
        return (await self.world.ask(box, command)).permission


def user_of(record: bytes) -> UserRecord:
    """What a record says."""
    return read(UserRecord, mac0.unchecked_payload(record))
