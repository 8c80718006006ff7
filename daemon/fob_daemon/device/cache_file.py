"""The cache of one token on disk, as JSON: keys stay listed over a restart of the daemon."""

import json
from pathlib import Path
from typing import Any, Final

import structlog

from fob_daemon.cryptoki.interface import MechanismInfo
from fob_daemon.device.object_cache import ObjectCache
from fob_daemon.device.views import DeviceObject, TokenDescription
from fob_daemon.files import write_durably
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue
from fob_protocol.pkcs11.flags import MechanismFlag, TokenFlag

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

FORMAT: Final = 1


class CacheFile:
    """One file; it holds nothing secret, and a damaged one is an empty cache."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, cache: ObjectCache) -> None:
        """Fill an empty cache with what was stored."""
        try:
            document = json.loads(self._path.read_bytes())
            if document["format"] != FORMAT:
                raise ValueError(f"format {document['format']}")
            stored = _from_document(document)
        except FileNotFoundError:
            return
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            _log.warning("device.cache_unreadable", path=str(self._path), error=str(error))
            return
        cache.generation, cache.token = stored.generation, stored.token
        cache.mechanisms, cache.objects = stored.mechanisms, stored.objects

    def save(self, document: dict[str, Any]) -> None:
        """Write what `snapshot` took; safe in a thread. A disk that refuses is logged: the cache is only a cache."""
        try:
            write_durably(self._path, json.dumps(document, separators=(",", ":")).encode())
        except OSError as error:
            _log.warning("device.cache_not_written", path=str(self._path), error=str(error))


def snapshot(cache: ObjectCache) -> dict[str, Any]:
    """The cache as a JSON document that later changes do not touch."""
    return {
        "format": FORMAT,
        "generation": cache.generation,
        "token": None if cache.token is None else _token_out(cache.token),
        "mechanisms": [[m, i.min_key_size, i.max_key_size, int(i.flags)] for m, i in cache.mechanisms.items()],
        "objects": [[o.device_handle, o.generation, _attributes_out(o.attributes)] for o in cache.objects.values()],
    }


def _from_document(document: dict[str, Any]) -> ObjectCache:
    objects = [DeviceObject(int(h), int(g), _attributes_in(pairs)) for h, g, pairs in document["objects"]]
    return ObjectCache(
        generation=int(document["generation"]),
        token=None if document["token"] is None else _token_in(document["token"]),
        mechanisms={
            int(m): MechanismInfo(int(smallest), int(largest), MechanismFlag(flags))
            for m, smallest, largest, flags in document["mechanisms"]
        },
        objects={o.device_handle: o for o in objects},
    )


def _token_out(token: TokenDescription) -> list[Any]:
    return [
        *(token.label, token.manufacturer, token.model, token.serial, int(token.flags)),
        *(token.min_pin, token.max_pin, token.hardware_version, token.firmware_version),
    ]


def _token_in(values: list[Any]) -> TokenDescription:
    label, maker, model, serial, flags, min_pin, max_pin, (hardware, hardware_minor), (major, minor) = values
    names = (str(label), str(maker), str(model), str(serial))
    versions = ((int(hardware), int(hardware_minor)), (int(major), int(minor)))
    return TokenDescription(*names, TokenFlag(flags), int(min_pin), int(max_pin), *versions)


def _attributes_out(attributes: Attributes) -> list[list[Any]]:
    return [[attribute, _value_out(value)] for attribute, value in attributes.items()]


def _attributes_in(pairs: list[list[Any]]) -> Attributes:
    return {int(attribute): _value_in(value) for attribute, value in pairs}


def _value_out(value: AttributeValue) -> bool | int | str | list[int]:
    """Octets as hexadecimal text, so that each kind has a JSON type of its own."""
    if isinstance(value, bytes):
        return value.hex()
    return list(value) if isinstance(value, tuple) else value


def _value_in(value: bool | int | str | list[int]) -> AttributeValue:
    if isinstance(value, str):
        return bytes.fromhex(value)
    return tuple(map(int, value)) if isinstance(value, list) else value
