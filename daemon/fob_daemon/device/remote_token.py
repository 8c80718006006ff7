"""The token at the other end of the link: one typed coroutine for each command of the catalogue.

Each is one link round trip; the use of a key is two when the device forgot whom a number stands for. Each raises
CkrError: what the device refused with; DEVICE_REMOVED once it is unpaired, which makes clients forget the token;
DEVICE_ERROR at once while it is away (after which clients try again), when the link was lost underway, and when the
answer does not parse; FUNCTION_CANCELED when the time is over.
"""

from dataclasses import dataclass, field

from fob_daemon.caller.numbers import CallerNumbers
from fob_daemon.device.answers import (
    read_block,
    read_head,
    read_history,
    read_login,
    read_mechanisms,
    read_page,
    read_token,
)
from fob_daemon.device.away import AwayError
from fob_daemon.device.commands import Commands, accepted
from fob_daemon.device.grants import Grant, read_grants
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.device.views import HistoryPage, Page
from fob_daemon.link.interface import Link
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import attributes_to_values, parameters_to_block
from fob_protocol.at.values import Value, Values
from fob_protocol.caller import CALLER_UNKNOWN, Caller
from fob_protocol.catalogue import CommandSpec
from fob_protocol.history.head import Head
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription
from fob_protocol.pkcs11.mechanisms import Mechanism, Parameters


@dataclass(frozen=True, slots=True)
class PrivateInput:
    """What a private key is given; a `mechanism` of None is the key type's plain one."""

    handle: int
    mechanism: int | None
    data: bytes = field(repr=False)
    parameters: Parameters = field(default=None, repr=False)

    def values(self) -> Values:
        """In the order of C_Sign and C_Decrypt. Raises CkrError."""
        return (self.handle, self.mechanism, self.data, _block(self.parameters))


class RemoteToken:
    """The commands of one device."""

    def __init__(self, link: Link, timeouts: Timeouts | None = None) -> None:
        self.link = link
        self._commands = Commands(link)
        self._timeouts = timeouts or Timeouts()
        self._callers = CallerNumbers()

    @property
    def session_id(self) -> bytes | None:
        """The current link session, None while the device is away."""
        greeting = self.link.greeting
        return None if greeting is None else greeting.session

    async def present(self) -> bytes:
        """The link session, after a moment's wait for a link that broke just now. Raises AwayError."""
        try:
            return (await self.link.present()).session
        except CkrError as error:
            raise AwayError(error.reason) from None

    async def token_info(self) -> TokenDescription:
        """C_GetTokenInfo."""
        return read_token(await self._commands.ask(self._timeouts.query, catalogue.GET_TOKEN_INFO))

    async def mechanisms(self) -> dict[int, MechanismInfo]:
        """C_GetMechanismList and C_GetMechanismInfo."""
        return read_mechanisms(await self._commands.ask(self._timeouts.query, catalogue.GET_MECHANISMS))

    async def find_objects(self, known_generation: int) -> Page:
        """What changed since `known_generation`; 0 asks for everything."""
        return read_page(await self._commands.ask(self._timeouts.query, catalogue.FIND_OBJECTS, known_generation))

    async def get_attribute(self, handle: int, attribute: int) -> bytes:
        """A sealed value of a private object."""
        return read_block(await self._commands.ask(self._timeouts.query, catalogue.GET_ATTRIBUTE, handle, attribute))

    async def set_attributes(self, handle: int, template: Template) -> Page:
        """C_SetAttributeValue."""
        return await self._change(catalogue.SET_ATTRIBUTES, handle, *_list(template))

    async def create_object(self, template: Template) -> Page:
        """C_CreateObject."""
        return await self._change(catalogue.CREATE_OBJECT, *_list(template))

    async def copy_object(self, handle: int, template: Template) -> Page:
        """C_CopyObject."""
        return await self._change(catalogue.COPY_OBJECT, handle, *_list(template))

    async def destroy_object(self, handle: int) -> Page:
        """C_DestroyObject."""
        return await self._change(catalogue.DESTROY_OBJECT, handle)

    async def generate_key_pair(self, mechanism: Mechanism, public: Template, private: Template) -> Page:
        """C_GenerateKeyPair; the page's objects are the public key and then the private key."""
        block = _block(mechanism.parameters)
        lists = (*_list(public), *_list(private))
        answer = await self._commands.ask(
            self._timeouts.key_generation,
            catalogue.GENERATE_KEY_PAIR,
            *(mechanism.type, block, len(public), *lists),
        )
        return read_page(answer)

    async def login(
        self, user: Cku, pin: bytes | None, replaced: int | None = None, caller: Caller | None = None
    ) -> tuple[int, bytes]:
        """C_Login: login id and ticket. A `pin` of None asks on the device; the login `replaced` ends there.

        The caller is named here: a PIN pad shows it, and its signatures cost its number only.
        """
        values = (int(user), pin, replaced)
        return read_login(accepted(await self.named(self._timeouts.login, catalogue.LOGIN_USER, values, caller)))

    async def login_for_key(self, handle: int, pin: bytes | None, caller: Caller | None = None) -> None:
        """C_Login with CKU_CONTEXT_SPECIFIC: the next use of this one key; a `pin` of None asks on the device."""
        values = (int(Cku.CONTEXT_SPECIFIC), pin, handle)
        accepted(await self.named(self._timeouts.login, catalogue.LOGIN_USER, values, caller))

    async def logout(self, login: int) -> None:
        """C_Logout."""
        await self._commands.ask(self._timeouts.query, catalogue.LOGOUT, login)

    async def resume(self, login: int, ticket: bytes) -> None:
        """A login of an earlier link session goes on in this one."""
        await self._commands.ask(self._timeouts.login, catalogue.RESUME, login, ticket)

    async def init_token(self, so_pin: bytes | None, label: bytes) -> Page:
        """C_InitToken."""
        return read_page(await self._commands.ask(self._timeouts.login, catalogue.INIT_TOKEN, so_pin, label))

    async def init_pin(self, pin: bytes | None) -> None:
        """C_InitPIN."""
        await self._commands.ask(self._timeouts.login, catalogue.INIT_PIN, pin)

    async def set_pin(self, user: Cku, old: bytes | None, new: bytes | None) -> None:
        """C_SetPIN."""
        await self._commands.ask(self._timeouts.set_pin, catalogue.SET_PIN, int(user), old, new)

    async def sign(self, given: PrivateInput, caller: Caller | None = None) -> bytes:
        """C_Sign; the data is a digest where the mechanism hashes."""
        return await self._use_key(catalogue.SIGN, given.values(), caller)

    async def decrypt(self, given: PrivateInput, caller: Caller | None = None) -> bytes:
        """C_Decrypt."""
        return await self._use_key(catalogue.DECRYPT, given.values(), caller)

    async def derive_key(
        self, handle: int, mechanism: Mechanism, template: Template, caller: Caller | None = None
    ) -> bytes:
        """C_DeriveKey: the shared secret."""
        values = (handle, mechanism.type, _block(mechanism.parameters))
        return await self._use_key(catalogue.DERIVE_KEY, values, caller, _list(template))

    async def generate_random(self, count: int) -> bytes:
        """C_GenerateRandom."""
        random = read_block(await self._commands.ask(self._timeouts.query, catalogue.GENERATE_RANDOM, count))
        if len(random) != count:
            raise CkrError(Ckr.DEVICE_ERROR, f"{len(random)} random octets where {count} are due")
        return random

    async def history(self, sequence: int) -> HistoryPage:
        """The history's records from `sequence` on, as many as fit a page."""
        return read_history(await self._commands.ask(self._timeouts.query, catalogue.HISTORY, sequence))

    async def history_head(self, nonce: bytes) -> Head:
        """Where the history begins and ends, signed for `nonce` (32 octets). Whether rightly is not looked at here."""
        return read_head(await self._commands.ask(self._timeouts.query, catalogue.HISTORY_HEAD, nonce), nonce)

    async def grants(self) -> list[Grant]:
        """What was allowed to this computer for a while."""
        return read_grants(await self._commands.ask(self._timeouts.query, catalogue.GRANTS))

    async def revoke_grant(self, number: int) -> None:
        """End one grant, or all by ALL_GRANTS."""
        await self._commands.ask(self._timeouts.query, catalogue.REVOKE, number)

    async def _use_key(self, spec: CommandSpec, values: Values, caller: Caller | None, rest: Values = ()) -> bytes:
        """One round trip, with the caller between `values` and `rest`."""
        return read_block(accepted(await self.named(self._timeouts.private_operation, spec, values, caller, rest)))

    async def named(
        self, seconds: float, spec: CommandSpec, values: Values, caller: Caller | None, rest: Values = ()
    ) -> Answer:
        """A request with the caller between `values` and `rest`; a second one with its block if need be."""
        greeting = self.link.greeting
        with self._callers.using(caller, None if greeting is None else greeting.boot) as naming:
            answer = await self._commands.request(seconds, spec, *values, *naming.values, *rest)
            if answer.ckr == CALLER_UNKNOWN and naming.is_known:
                answer = await self._commands.request(seconds, spec, *values, *naming.full, *rest)
            if answer.ckr != CALLER_UNKNOWN:
                self._callers.answered(naming)
        return answer

    async def _change(self, spec: CommandSpec, *values: Value) -> Page:
        return read_page(await self._commands.ask(self._timeouts.change, spec, *values))


def _list(template: Template) -> Values:
    try:
        return attributes_to_values(template)
    except ValueError as error:
        raise CkrError(Ckr.ATTRIBUTE_TYPE_INVALID, str(error)) from None


def _block(parameters: Parameters) -> bytes | None:
    try:
        return parameters_to_block(parameters)
    except ValueError as error:
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, str(error)) from None
