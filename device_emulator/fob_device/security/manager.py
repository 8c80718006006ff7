"""Commands of data state in, answers out; one manager for each link session (P6, docs/protocol.md, section 4)."""

import time
from collections.abc import Callable
from typing import Final

from fob_device.approval.askers import Asker
from fob_device.approval.callers import CallerUnknownError
from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.questions import Decider
from fob_device.history.actor import Actor, acting
from fob_device.history.history import History
from fob_device.security import administration, approvals, history, key_use, objects
from fob_device.security.back_office import BackOfficeDoor, Handler
from fob_device.security.context import Context
from fob_device.slowly import Slowly
from fob_device.token.token import Token
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event, encode_answer
from fob_protocol.at.command import BARE, Command, Verb
from fob_protocol.at.values import Values
from fob_protocol.caller import CALLER_UNKNOWN
from fob_protocol.catalogue import COMMANDS, EVENT_LOCKED, OPTION_PREFIX, CommandSpec
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import TEXT_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

HANDLERS: Final[dict[str, Handler]] = {
    catalogue.GET_TOKEN_INFO.name: administration.get_token_info,
    catalogue.GET_MECHANISMS.name: administration.get_mechanisms,
    catalogue.LOGIN_USER.name: administration.login,
    catalogue.LOGOUT.name: administration.logout,
    catalogue.RESUME.name: administration.resume,
    catalogue.INIT_TOKEN.name: administration.init_token,
    catalogue.INIT_PIN.name: administration.init_pin,
    catalogue.SET_PIN.name: administration.set_pin,
    catalogue.UNPAIR.name: administration.unpair,
    catalogue.GRANTS.name: approvals.list_grants,
    catalogue.REVOKE.name: approvals.revoke_grant,
    catalogue.HISTORY.name: history.read_history,
    catalogue.HISTORY_HEAD.name: history.sign_head,
    catalogue.GENERATE_RANDOM.name: administration.generate_random,
    catalogue.FIND_OBJECTS.name: objects.find_objects,
    catalogue.GET_ATTRIBUTE.name: objects.get_attribute,
    catalogue.SET_ATTRIBUTES.name: objects.set_attributes,
    catalogue.CREATE_OBJECT.name: objects.create_object,
    catalogue.COPY_OBJECT.name: objects.copy_object,
    catalogue.DESTROY_OBJECT.name: objects.destroy_object,
    catalogue.GENERATE_KEY_PAIR.name: objects.generate_key_pair,
    catalogue.SIGN.name: key_use.sign,
    catalogue.DECRYPT.name: key_use.decrypt,
    catalogue.DERIVE_KEY.name: key_use.derive_key,
}


# What uses a private key: the device's own program has to be as it was given out (V16).
PRIVATE: Final = frozenset({catalogue.SIGN.name, catalogue.DECRYPT.name, catalogue.DERIVE_KEY.name})


class SecurityManager:
    """The door between one PC's session and the token."""

    def __init__(
        self,
        token: Token,
        decider: Decider,
        *,
        pc_name: str,
        shown_name: Callable[[], str] | None = None,
        pc_key: bytes = b"",
        history: History | None = None,
        desk: ApprovalDesk | None = None,
        office: BackOfficeDoor | None = None,
        announce: Callable[[Event], None] = lambda event: None,
        slowly: Slowly | None = None,
        unpair: Callable[[], None] = lambda: None,
        changed: "Callable[[SecurityManager], None]" = lambda manager: None,
        pins_changed: "Callable[[SecurityManager], None]" = lambda manager: None,
    ) -> None:
        self._token = token
        self._decider = decider
        self._actor = Actor(pc_key, pc_name)
        # Changes when another computer of the same name is paired.
        self._shown_name = shown_name or (lambda: pc_name)
        self._history = history
        self._office = office
        self._desk = desk or ApprovalDesk(time.monotonic)
        self._announce = announce
        # The desk outlives sessions: the newest one hears of grants.
        self._desk.grants.announce = announce
        self._unpair = unpair
        self._changed = changed
        self._pins_changed = pins_changed
        self._session = token.open_session()
        self._slowly = slowly or Slowly()

    async def execute(self, command: Command, number: int = 0, asker: Asker | None = None) -> Answer:
        """Run one command; what the person says yes to is done while `asker` is there. A refusal is an answer too.

        Cancelling it withdraws a question that is on the screen.
        """
        try:
            if command == BARE:
                return Answer()
            handler, values = self._look_up(command)
            with acting(self._actor):
                admitted = await self._admit(command)
                context = Context(
                    self._token,
                    self._session,
                    self._decider,
                    self._desk,
                    self._shown_name(),
                    self._announce,
                    self._unpair,
                    lambda: self._pins_changed(self),
                    self._slowly,
                    number,
                    asker or Asker(),
                    self._actor.pc_key,
                    self._history,
                    admitted,
                )
                answer = self._bounded(await handler(context, values))
            self._changed(self)
            return answer
        except CkrError as error:
            return Answer.refusal(error)
        except CallerUnknownError as error:
            return Answer(ckr=CALLER_UNKNOWN, words=str(error))
        except AtSyntaxError as error:
            return Answer(ckr=Ckr.ARGUMENTS_BAD, words=str(error))

    def announce_ended_logins(self) -> None:
        """Tell the PC of its logins that another computer's change of a PIN ended."""
        for login in self._session.take_ended_logins():
            self._announce(Event(EVENT_LOCKED, (login,)))

    def close(self) -> None:
        """The link session ended: its logins and session objects end too."""
        self._session.close()

    async def _admit(self, command: Command) -> bytes:
        """The integrity value by which a private key may be used now, empty where none is. Raises CkrError."""
        if self._office is None or command.name not in PRIVATE:
            return b""
        await self._office.admit_keys()
        return self._office.integrity_value

    def _look_up(self, command: Command) -> tuple[Handler, Values]:
        spec, handler = _spec(command.name), self._handler(command.name)
        if spec is None or handler is None or command.verb not in (Verb.SET, Verb.EXECUTE):
            raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED, f"no command {command.name}")
        return handler, spec.check(command.values)

    def _handler(self, name: str) -> Handler | None:
        if name in HANDLERS or self._office is None:
            return HANDLERS.get(name)
        return self._office.handler(name)

    @staticmethod
    def _bounded(answer: Answer) -> Answer:
        if len(encode_answer(answer)) > TEXT_LIMIT:
            raise CkrError(Ckr.DEVICE_MEMORY, f"an answer over {TEXT_LIMIT} octets")
        return answer


def _spec(name: str) -> CommandSpec | None:
    """Those of components take what the component takes."""
    return CommandSpec(name, rest="values") if name.startswith(OPTION_PREFIX) else COMMANDS.get(name)
