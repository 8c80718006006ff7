"""What a shell offers behind Tab: names, labels and numbers of this moment, or nothing; it never waits for long."""

import re
import shlex
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from fob_daemon.cli.client import Client
from fob_daemon.control.errors import ControlError
from fob_protocol.names import is_plain_name

# Seconds in which a person does not wonder what the shell is doing.
PATIENCE: Final = 0.5

# A shell that asks sets it to its name and `_complete`.
COMPLETION_VARIABLE: Final = "_FOB_COMPLETE"

# Puts what is offered into the line as it stands; other shells quote it.
_VERBATIM: Final = "bash"

# Where a word of the line is quoted or expanded already, a quoted text would mean something else: inside double quotes
# `'$(reboot)'` is run. A word that bash broke apart (COMP_WORDBREAKS) is not the word that the person types.
_NOT_AS_IT_STANDS: Final = frozenset("'\"\\$`")
_BROKEN_APART: Final = frozenset(":@<>")

# The beginning of a key's id.
_HEX: Final = re.compile("[0-9a-f]+")

# Transactions that anybody looks through.
_COUNTERS: Final = 100

# A value and what it is.
Offer = tuple[str, str]


def complete_device(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of paired devices."""
    return _offered(context, incomplete, _devices)


def complete_key(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Labels of keys; their ids too, once the beginning of one is typed."""
    return _offered(context, incomplete, partial(_keys, with_ids=_HEX.fullmatch(incomplete) is not None))


def complete_grant(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Numbers of what is allowed without asking."""
    return _offered(context, incomplete, _grants)


def complete_server(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Servers that the device may register with."""
    return _offered(context, incomplete, partial(_servers, name=context.params.get("device")))


def complete_option(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Components that run on the device."""
    return _offered(context, incomplete, partial(_options, name=context.params.get("device")))


def complete_command(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Commands of components, without their plus sign."""
    return _offered(context, incomplete, partial(_commands, name=context.params.get("device")))


def complete_program(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Programs whose copies the device holds."""
    return _offered(context, incomplete, partial(_programs, name=context.params.get("device")))


def complete_counter(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Transactions whose indicia are kept here."""
    return _offered(context, incomplete, partial(_counters, name=context.params.get("device")))


def _devices(client: Client) -> Iterable[Offer]:
    devices: list[dict[str, Any]] = client.get("devices")["devices"]
    return [(device["name"], device["state"]) for device in devices]


def _keys(client: Client, *, with_ids: bool) -> Iterable[Offer]:
    keys: list[dict[str, Any]] = client.get("keys")["keys"]
    ids = [(key["id"], f"{key['label']}, {key['type']} on {key['device']}") for key in keys] if with_ids else []
    return [*ids, *((key["label"], f"{key['type']} on {key['device']}") for key in keys)]


def _grants(client: Client) -> Iterable[Offer]:
    grants: list[dict[str, Any]] = client.get("grants")["grants"]
    return [(str(grant["number"]), f"{grant['device']}: {grant['words']}") for grant in grants]


def _servers(client: Client, *, name: str | None) -> Iterable[Offer]:
    servers: list[dict[str, Any]] = client.get("devices", _device(client, name), "servers")["servers"]
    return [(server["id"], server["title"]) for server in servers]


def _options(client: Client, *, name: str | None) -> Iterable[Offer]:
    return [(option["id"], f"{option['title']} {option['version']}") for option in _listed(client, name)]


def _commands(client: Client, *, name: str | None) -> Iterable[Offer]:
    return [
        (command.removeprefix("+"), option["title"])
        for option in _listed(client, name)
        for command in option["commands"]
    ]


def _programs(client: Client, *, name: str | None) -> Iterable[Offer]:
    copies: list[dict[str, Any]] = client.get("devices", _device(client, name), "copies")["copies"]
    return [(copy["program"], f"{copy['version']} {copy['state']}") for copy in copies]


def _counters(client: Client, *, name: str | None) -> Iterable[Offer]:
    kept: list[dict[str, Any]] = client.get("devices", _device(client, name), "meter", "franked")["franked"]
    return [(str(one["counter"]), f"{one['pieces']} pieces") for one in kept[:_COUNTERS]]


def _listed(client: Client, name: str | None) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = client.get("devices", _device(client, name), "options")["options"]
    return options


def _device(client: Client, name: str | None) -> str:
    """The one that is named, or the first that is here: one round trip is what a person waits for."""
    if name is not None:
        return name
    ready = [device["name"] for device in client.get("devices")["devices"] if device["state"] == "ready"]
    return ready[0] if ready else ""


def _offered(context: click.Context, incomplete: str, ask: Callable[[Client], Iterable[Offer]]) -> list[CompletionItem]:
    fob = context.find_root().obj
    try:
        offers = dict(ask(Client(fob.paths.control, PATIENCE)))
    except ControlError:
        return []
    shell = fob.environment.get(COMPLETION_VARIABLE, "").partition("_")[0]
    insert = _as_bash_takes_it(fob.environment.get("COMP_WORDS", "")) if shell == _VERBATIM else str
    return [
        CompletionItem(inserted, help=what)
        for value, what in offers.items()
        # Nothing that steers a terminal or ends the shell's line.
        if value.startswith(incomplete) and is_plain_name(value) and is_plain_name(what)
        if (inserted := insert(value))
    ]


def _as_bash_takes_it(words: str) -> Callable[[str], str]:
    """How a value goes into a line of these words, as bash has them; empty where that is not safe."""
    if any(_BROKEN_APART.issuperset(word) for word in words.split()):
        return lambda value: ""
    if _NOT_AS_IT_STANDS.isdisjoint(words):
        return shlex.quote
    # A text that needs no quotes means the same inside of them.
    return lambda value: value if shlex.quote(value) == value else ""
