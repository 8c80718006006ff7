"""Bumble writes every packet out, in colours, for a debug log: a quarter of the time of tests that do not read it."""

from typing import Final

import pytest
from bumble import att, controller, gatt_client, gatt_server, hci, host, l2cap

# What each packet goes through.
_LAYERS: Final = (att, controller, gatt_client, gatt_server, hci, host, l2cap)


def leave_packets_unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the log they have their names only, without colours."""
    for layer in _LAYERS:
        monkeypatch.setattr(layer, "color", _plain)
    monkeypatch.setattr(hci.HCI_Object, "format_fields", _no_fields)


def _plain(text: str, *_: object) -> str:
    return text


def _no_fields(*_: object) -> str:
    return ""
