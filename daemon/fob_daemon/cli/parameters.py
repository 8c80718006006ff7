"""Kinds of arguments: what the daemon would not take is a usage error here, before anybody is asked for a PIN."""

import re
from collections.abc import Callable
from typing import Final

import click

from fob_daemon.control.limits import MAX_KEY_ID, MAX_LABEL, MAX_NAME, MAX_URL
from fob_daemon.control.rules import fault_of_hex, fault_of_label, fault_of_name
from fob_protocol.integrity.limits import AUDIENCE_LIMIT, NONCE_LEAST, NONCE_MOST

# What a list of patterns of ssh_config(5) has: names, wildcards, exclamation marks and commas.
_HOSTS: Final = re.compile(r"[\w.*?!:,\[\]-]+")

# Ed25519 (RFC 8032).
PUBLIC_KEY_SIZE: Final = 32


def _fault_of_hosts(value: str, limit: int) -> str | None:
    """What is wrong with it; None when nothing is."""
    if len(value) > limit or not _HOSTS.fullmatch(value):
        return f"has to be patterns with commas between them, at most {limit} characters"
    return None


class Text(click.ParamType[str]):
    """A text under one of the control API's rules."""

    def __init__(self, name: str, limit: int, fault_of: Callable[[str, int], str | None]) -> None:
        self.name = name
        self._limit = limit
        self._fault_of = fault_of

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Called by click. Raises click.BadParameter."""
        fault = self._fault_of(value, self._limit)
        if fault is not None:
            self.fail(f"it {fault}", param, ctx)
        return value


def _fault_of_key(value: str, limit: int) -> str | None:
    fault = fault_of_hex(value, limit)
    return fault or (None if len(value) == 2 * limit else f"has to be of {limit} octets")


def _fault_of_nonce(value: str, limit: int) -> str | None:
    fault = fault_of_hex(value, limit)
    return fault or (None if len(value) >= 2 * NONCE_LEAST else f"has to be of {NONCE_LEAST} to {limit} octets")


NAME: Final = Text("name", MAX_NAME, fault_of_name)
URL: Final = Text("url", MAX_URL, fault_of_name)
LABEL: Final = Text("label", MAX_LABEL, fault_of_label)
HOSTS: Final = Text("patterns", MAX_URL, _fault_of_hosts)
PUBLIC_KEY: Final = Text("key", PUBLIC_KEY_SIZE, _fault_of_key)
AUDIENCE: Final = Text("name", AUDIENCE_LIMIT, fault_of_name)
NONCE: Final = Text("nonce", NONCE_MOST, _fault_of_nonce)
KEY_ID: Final = Text("hex", MAX_KEY_ID, fault_of_hex)
