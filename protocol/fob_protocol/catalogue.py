"""The one catalogue of AT commands (docs/protocol.md, section 4): a new command is one entry here and one handler."""

from dataclasses import dataclass, field

from fob_protocol.at.command import Command, Verb
from fob_protocol.at.values import Value, Values
from fob_protocol.errors import AtSyntaxError

NUMBER, STRING, BLOCK = int, str, bytes


@dataclass(frozen=True, slots=True)
class Parameter:
    """One place in a command's value list."""

    name: str
    kind: type
    optional: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command of data state: its AT name, its Cryptoki function, its parameters; `rest` when a list follows them."""

    name: str
    function: str = ""
    parameters: tuple[Parameter, ...] = ()
    rest: str = ""
    public: bool = field(default=False, kw_only=True)

    def build(self, *values: Value) -> Command:
        """The command with `values`, checked as the other side will check them. Raises AtSyntaxError."""
        self.check(values)
        return Command(self.name, Verb.SET if values else Verb.EXECUTE, values)

    def check(self, values: Values) -> Values:
        """`values` padded with None to all named parameters, the rest behind them. Raises AtSyntaxError."""
        count = len(self.parameters)
        if len(values) > count and not self.rest:
            raise AtSyntaxError(f"{self.name} takes {count} values, not {len(values)}")
        padded = values + (None,) * (count - len(values))
        for parameter, value in zip(self.parameters, padded, strict=False):
            self._check_one(parameter, value)
        return padded

    def _check_one(self, parameter: Parameter, value: Value) -> None:
        if value is None and not parameter.optional:
            raise AtSyntaxError(f"{self.name} needs its {parameter.name}")
        if value is not None and not isinstance(value, parameter.kind):
            raise AtSyntaxError(f"{self.name}: {parameter.name} is of the wrong kind")


HANDLE = Parameter("handle", NUMBER)
MECHANISM = Parameter("mechanism", NUMBER)
MECHANISM_OR_PLAIN = Parameter("mechanism", NUMBER, optional=True)
MECHANISM_PARAMETER = Parameter("mechanism parameter", BLOCK, optional=True)
DATA = Parameter("data", BLOCK)
CALLER = Parameter("caller", NUMBER, optional=True)
CALLER_BLOCK = Parameter("caller block", BLOCK, optional=True)
USER_TYPE = Parameter("user type", NUMBER)
PIN = Parameter("PIN", BLOCK, optional=True)
LOGIN = Parameter("login", NUMBER)

GET_TOKEN_INFO = CommandSpec("+C_GETTOKENINFO", "C_GetTokenInfo", public=True)
GET_MECHANISMS = CommandSpec("+C_GETMECHLIST", "C_GetMechanismList")
FIND_OBJECTS = CommandSpec("+C_FINDOBJECTS", "C_FindObjects", (Parameter("known generation", NUMBER),))
GET_ATTRIBUTE = CommandSpec("+C_GETATTRVALUE", "C_GetAttributeValue", (HANDLE, Parameter("type", NUMBER)))
SET_ATTRIBUTES = CommandSpec("+C_SETATTRVALUE", "C_SetAttributeValue", (HANDLE,), rest="attribute list")
CREATE_OBJECT = CommandSpec("+C_CREATEOBJECT", "C_CreateObject", rest="attribute list")
COPY_OBJECT = CommandSpec("+C_COPYOBJECT", "C_CopyObject", (HANDLE,), rest="attribute list")
DESTROY_OBJECT = CommandSpec("+C_DESTROYOBJECT", "C_DestroyObject", (HANDLE,))
GENERATE_KEY_PAIR = CommandSpec(
    "+C_GENKEYPAIR",
    "C_GenerateKeyPair",
    (MECHANISM, MECHANISM_PARAMETER, Parameter("count of public attributes", NUMBER)),
    rest="attribute lists",
)
LOGIN_USER = CommandSpec(
    "+C_LOGIN",
    "C_Login",
    (USER_TYPE, PIN, Parameter("handle or login", NUMBER, optional=True), CALLER, CALLER_BLOCK),
)
LOGOUT = CommandSpec("+C_LOGOUT", "C_Logout", (LOGIN,))
RESUME = CommandSpec("+FOBRESUME", "", (LOGIN, Parameter("ticket", BLOCK)))
INIT_TOKEN = CommandSpec("+C_INITTOKEN", "C_InitToken", (PIN, Parameter("label", BLOCK)))
INIT_PIN = CommandSpec("+C_INITPIN", "C_InitPIN", (PIN,))
SET_PIN = CommandSpec("+C_SETPIN", "C_SetPIN", (USER_TYPE, PIN, Parameter("new PIN", BLOCK, optional=True)))
KEY_USE = (HANDLE, MECHANISM_OR_PLAIN, DATA, MECHANISM_PARAMETER, CALLER, CALLER_BLOCK)
SIGN = CommandSpec("+C_SIGN", "C_Sign", KEY_USE)
DECRYPT = CommandSpec("+C_DECRYPT", "C_Decrypt", KEY_USE)
DERIVE_KEY = CommandSpec(
    "+C_DERIVEKEY",
    "C_DeriveKey",
    (HANDLE, MECHANISM, MECHANISM_PARAMETER, CALLER, CALLER_BLOCK),
    rest="attribute list",
)
GENERATE_RANDOM = CommandSpec("+C_GENERATERANDOM", "C_GenerateRandom", (Parameter("count", NUMBER),))
RECALL = CommandSpec("+FOBRECALL", "", (Parameter("session", BLOCK), Parameter("number", NUMBER)))
GRANTS = CommandSpec("+FOBGRANTS")
REVOKE = CommandSpec("+FOBREVOKE", "", (Parameter("grant", NUMBER),))
HISTORY = CommandSpec("+FOBHISTORY", "", (Parameter("from", NUMBER),))
HISTORY_HEAD = CommandSpec("+FOBHISTHEAD", "", (Parameter("nonce", BLOCK),))
UNPAIR = CommandSpec("+FOBUNPAIR")

# The back office (section 4.3).
SERVER = Parameter("server", STRING)
RELAY = CommandSpec("+FOBRELAY")
RELAYED = CommandSpec(
    "+FOBRELAYED",
    "",
    (
        Parameter("number", NUMBER),
        Parameter("status", NUMBER),
        Parameter("answer", BLOCK, optional=True),
        Parameter("seconds", NUMBER, optional=True),
    ),
)
OFFICE = CommandSpec("+FOBOFFICE")
CONFIGURE = CommandSpec("+FOBCONFIGURE", "", (Parameter("purpose", NUMBER),))
SERVERS = CommandSpec("+FOBSERVERS")
REGISTER = CommandSpec("+FOBREGISTER", "", (SERVER, Parameter("count of fields", NUMBER)), rest="fields and values")
ENTITLED = CommandSpec("+FOBENTITLED", "", (SERVER,))
USE = CommandSpec(
    "+FOBUSE", "", (SERVER, Parameter("application", STRING), Parameter("path", STRING), Parameter("body", BLOCK))
)
OPTIONS = CommandSpec("+FOBOPTIONS")
OPTION = CommandSpec("+FOBOPTION", "", (Parameter("component", STRING), Parameter("from", NUMBER)))
# Copies of programs.
PROGRAM = Parameter("program", STRING)
COPIES = CommandSpec("+FOBCOPIES")
VALIDATE = CommandSpec("+FOBVALIDATE", "", (PROGRAM,))
TICKET = CommandSpec("+FOBTICKET", "", (PROGRAM,))
PRESENT = CommandSpec("+FOBPRESENT", "", (PROGRAM, Parameter("audience", STRING), Parameter("nonce", BLOCK)))
LETTER = CommandSpec("+FOBLETTER", "", (PROGRAM, Parameter("letter", STRING)))
# The mailer's meter at the data centre (section 4.4).
ORDER = Parameter("order", BLOCK)
LOGIN_NAME = Parameter("name", STRING)
METER = CommandSpec("+FOBMETER")
METER_TERMS = CommandSpec("+FOBMETERTERMS")
METER_SIGN_UP = CommandSpec(
    "+FOBMETERSIGNUP",
    "",
    (
        LOGIN_NAME,
        Parameter("value kind", STRING),
        Parameter("payment", NUMBER),
        Parameter("refill below", NUMBER, optional=True),
        Parameter("refill amount", NUMBER, optional=True),
    ),
    rest="origins",
)
METER_SIGN_ON = CommandSpec("+FOBMETERSIGNON", "", (LOGIN_NAME,))
METER_ABOUT = CommandSpec("+FOBMETERABOUT")
METER_FRANK = CommandSpec(
    "+FOBMETERFRANK",
    "",
    (ORDER, Parameter("rate command", STRING), Parameter("serial", STRING, optional=True), CALLER, CALLER_BLOCK),
    rest="pieces",
)
METER_RATE = CommandSpec("+FOBMETERRATE", "", (Parameter("rate command", STRING),), rest="what is weighed")
METER_LOAD = CommandSpec("+FOBMETERLOAD", "", (ORDER, Parameter("amount", NUMBER), CALLER, CALLER_BLOCK))
METER_REFUND = CommandSpec(
    "+FOBMETERREFUND",
    "",
    (
        ORDER,
        Parameter("amount", NUMBER, optional=True),
        Parameter("indicium", BLOCK, optional=True),
        Parameter("token", BLOCK, optional=True),
        CALLER,
        CALLER_BLOCK,
    ),
)
METER_RESULT = CommandSpec("+FOBMETERRESULT", "", (ORDER,))
METER_TAKEN = CommandSpec("+FOBMETERTAKEN", "", (ORDER,))
METER_HISTORY = CommandSpec("+FOBMETERHISTORY", "", (Parameter("after", NUMBER),))
METER_COMMANDS = (
    METER, METER_TERMS, METER_SIGN_UP, METER_SIGN_ON, METER_ABOUT, METER_FRANK, METER_LOAD, METER_REFUND, METER_RESULT,
    METER_TAKEN, METER_HISTORY, METER_RATE,
)  # fmt: skip
# Commands of components: their names begin so, and their values are the components' own.
OPTION_PREFIX = "+X"

COMMANDS: dict[str, CommandSpec] = {
    spec.name: spec
    for spec in (
        GET_TOKEN_INFO, GET_MECHANISMS, FIND_OBJECTS, GET_ATTRIBUTE, SET_ATTRIBUTES, CREATE_OBJECT, COPY_OBJECT,
        DESTROY_OBJECT, GENERATE_KEY_PAIR, LOGIN_USER, LOGOUT, RESUME, INIT_TOKEN, INIT_PIN, SET_PIN, SIGN, DECRYPT,
        DERIVE_KEY, GENERATE_RANDOM, RECALL, GRANTS, REVOKE, HISTORY, HISTORY_HEAD, UNPAIR,
        RELAY, RELAYED, OFFICE, CONFIGURE, SERVERS, REGISTER, ENTITLED, USE, OPTIONS, OPTION,
        COPIES, VALIDATE, TICKET, PRESENT, LETTER,
        *METER_COMMANDS,
    )
}  # fmt: skip

# What the device answers without asking its person anything, so that it is asked at any time (section 3.2).
NEED_NOBODY = frozenset(
    {
        GET_TOKEN_INFO.name, GET_MECHANISMS.name, FIND_OBJECTS.name, GET_ATTRIBUTE.name, LOGOUT.name, RESUME.name,
        GENERATE_RANDOM.name, GRANTS.name, REVOKE.name, HISTORY.name, HISTORY_HEAD.name, UNPAIR.name,
        RELAY.name, RELAYED.name, OFFICE.name, SERVERS.name, ENTITLED.name, OPTIONS.name, COPIES.name,
        TICKET.name, METER.name, METER_TAKEN.name,
    }
)  # fmt: skip

# Unsolicited result codes (section 4).
EVENT_GENERATION = "+FOBGEN"
EVENT_TOKEN = "+FOBTOKEN"  # noqa: S105 - the name of an event
EVENT_ASK = "+FOBASK"
EVENT_LOCKED = "+FOBLOCKED"
EVENT_UNPAIRED = "+FOBUNPAIRED"
EVENT_GRANTED = "+FOBGRANTED"
EVENT_REVOKED = "+FOBREVOKED"
EVENT_RELAY = "+FOBRELAY"
EVENT_PROGRESS = "+FOBPROGRESS"
EVENT_OPTIONS = "+FOBOPTIONS"
EVENT_INTEGRITY = "+FOBINTEGRITY"
EVENT_METER = "+FOBMETER"

# Each of these tells how something stands, so that only the newest of its name counts (section 3.4).
STATE_EVENTS = frozenset({EVENT_GENERATION, EVENT_TOKEN, EVENT_PROGRESS, EVENT_OPTIONS, EVENT_METER})
