"""The radio's control channel: one JSON object in a line asks, one answers.

    {"do": "list"}                                               -> {"ok": true, "devices": [{"name": ..., ...}]}
    {"do": "set", "device": "C4:...", "distance": 3, "loss": 0}  -> {"ok": true}       either value may be left out
    {"do": "read", "device": "C4:..."}                           -> {"ok": true, "counters": {...}}  all: no device
    a device that is not there                                   -> {"ok": false, "error": "... is not on the air"}
    anything else                                                -> {"ok": false, "error": "words"}

Distances are metres, losses probabilities; the counters are those of `counters.py`.
"""

from dataclasses import asdict
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from fob_device.json_lines import JsonLines
from fob_device.radio.radio import Radio

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


def control_socket(radio: Radio) -> JsonLines:
    """What serves the control channel."""

    async def answer_line(line: bytes) -> dict[str, Any]:
        return answer(radio, line)

    return JsonLines(answer_line)
