"""The radio's control channel: one JSON object in a line asks, one answers.

    {"do": "list"}                                               -> {"ok": true, "devices": [{"name": ..., ...}]}
    {"do": "set", "device": "C4:...", "distance": 3, "loss": 0}  -> {"ok": true}       either value may be left out
    {"do": "read", "device": "C4:..."}                           -> {"ok": true, "counters": {...}}  all: no device
    a device that is not there                                   -> {"ok": false, "error": "... is not on the air"}
    anything else                                                -> {"ok": false, "error": "words"}

Distances are metres, losses probabilities; the counters are those of `counters.py`.
"""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from fob_device.radio.radio import Radio

# A request is a short line, and whoever tests the radio has one connection or two.
LINE_LIMIT: Final = 4096
CLIENTS_LIMIT: Final = 8

Device = Annotated[str, Meta(min_length=1, max_length=64)]


class List(Struct, tag_field="do", tag="list", frozen=True, forbid_unknown_fields=True):
    """Which devices are on the air."""


class Set(Struct, tag_field="do", tag="set", frozen=True, forbid_unknown_fields=True):
    """Move a device, or lose its packets."""

    device: Device
    distance: Annotated[float, Meta(ge=0)] | None = None
    loss: Annotated[float, Meta(ge=0, lt=1)] | None = None


class Read(Struct, tag_field="do", tag="read", frozen=True, forbid_unknown_fields=True):
    """What crossed, from and to one device or all."""

    device: Device | None = None


_DECODER: Final = msgspec.json.Decoder(List | Set | Read)


def answer(radio: Radio, line: bytes) -> dict[str, Any]:
    """Do what a line asks."""
    try:
        return {"ok": True} | _do(radio, _DECODER.decode(line))
    except msgspec.DecodeError as error:
        return {"ok": False, "error": str(error)}
    except ValueError as error:
        return {"ok": False, "error": str(error)}
    except KeyError as error:
        return {"ok": False, "error": f"{error.args[0]} is not on the air"}


def _do(radio: Radio, request: List | Set | Read) -> dict[str, Any]:
    match request:
        case List():
            return {"devices": [{"name": device.name, "addresses": device.addresses} for device in radio.devices]}
        case Set(device, distance, loss):
            radio.find(device)
            if distance is not None:
                radio.set_distance(device, distance)
            if loss is not None:
                radio.set_loss(device, loss)
            return {}
        case Read(device):
            return {"counters": asdict(radio.counters if device is None else radio.counters_of(device))}


class ControlSocket:
    """Serves the control channel, for at most CLIENTS_LIMIT clients at once."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self._clients = 0

    async def listen(self, path: str) -> asyncio.Server:
        """Listen at a Unix socket's path. Raises OSError."""
        return await asyncio.start_unix_server(self._serve, path, limit=LINE_LIMIT)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            while self._clients <= CLIENTS_LIMIT and (line := await reader.readline()):
                writer.write(msgspec.json.encode(answer(self._radio, line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # Gone, or a line over the limit.
            pass
        finally:
            self._clients -= 1
            writer.close()
