"""A PKCS#11 module called as C programs call it: with NULL pointers, sizes and buffers of their own choice."""

import ctypes
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes import Structure, byref, c_char_p, c_ulong, c_void_p, cast, create_string_buffer
from typing import Any, Final

from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr

# The functions of PKCS#11 v2.40 in the order of CK_FUNCTION_LIST, without their C_.
_NAMES: Final = """
    Initialize Finalize GetInfo GetFunctionList GetSlotList GetSlotInfo GetTokenInfo GetMechanismList GetMechanismInfo
    InitToken InitPIN SetPIN OpenSession CloseSession CloseAllSessions GetSessionInfo GetOperationState
    SetOperationState Login Logout CreateObject CopyObject DestroyObject GetObjectSize GetAttributeValue
    SetAttributeValue FindObjectsInit FindObjects FindObjectsFinal EncryptInit Encrypt EncryptUpdate EncryptFinal
    DecryptInit Decrypt DecryptUpdate DecryptFinal DigestInit Digest DigestUpdate DigestKey DigestFinal SignInit Sign
    SignUpdate SignFinal SignRecoverInit SignRecover VerifyInit Verify VerifyUpdate VerifyFinal VerifyRecoverInit
    VerifyRecover DigestEncryptUpdate DecryptDigestUpdate SignEncryptUpdate DecryptVerifyUpdate GenerateKey
    GenerateKeyPair WrapKey UnwrapKey DeriveKey SeedRandom GenerateRandom GetFunctionStatus CancelFunction
    WaitForSlotEvent
"""
FUNCTIONS: Final = tuple(_NAMES.split())
# After CK_VERSION, which is padded to the pointers' alignment.
FIRST_FUNCTION: Final = 8

RW, RO = 6, 4
TOKEN_PRESENT: Final = 1
UNAVAILABLE: Final = (1 << 64) - 1
LABEL_SIZE: Final = 32
TOKEN_INFO_SIZE: Final = 208

Value = bool | int | bytes
Template = Mapping[int, Value]


class Attribute(Structure):
    """CK_ATTRIBUTE; CK_MECHANISM has the same form."""

    _fields_ = (("type", c_ulong), ("value", c_void_p), ("length", c_ulong))


class Module:
    """The functions, and every buffer that was ever handed over."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        functions = c_void_p()
        self._library.C_GetFunctionList(byref(functions))
        table = (c_void_p * len(FUNCTIONS)).from_address((functions.value or 0) + FIRST_FUNCTION)
        self._functions = dict(zip(FUNCTIONS, table, strict=True))
        self._kept: list[object] = []

    def call(self, name: str, *arguments: Any) -> str:
        """The name of the return value. Numbers are CK_ULONGs, bytes pointers to them, None is NULL."""
        kinds = [c_ulong if isinstance(a, int) else c_char_p if isinstance(a, bytes) else c_void_p for a in arguments]
        values = [a if a is None or isinstance(a, int | bytes) else cast(byref(a), c_void_p) for a in arguments]
        function = ctypes.CFUNCTYPE(c_ulong, *kinds)(self._functions[name])
        return Ckr(function(*values)).name

    def made(self, name: str, *arguments: Any) -> tuple[str, int]:
        """A call whose last argument takes a handle."""
        handle = c_ulong()
        return self.call(name, *arguments, handle), handle.value

    def output(self, name: str, *arguments: Any, room: int | None = None) -> tuple[str, int, bytes]:
        """A call with a buffer of `room` octets, None for a NULL pointer: return value, length, output."""
        length = c_ulong(room or 0)
        buffer = None if room is None else create_string_buffer(max(room, 1))
        answer = self.call(name, *arguments, buffer, length)
        fits = buffer is not None and answer == "OK"
        return answer, length.value, buffer.raw[: length.value] if fits and buffer is not None else b""

    def mechanism(self, kind: int, parameter: bytes | Structure | None = None) -> Attribute:
        """CK_MECHANISM."""
        return self._field(kind, bytes(parameter) if isinstance(parameter, Structure) else parameter)

    def template(self, template: Template) -> tuple[object, int]:
        """A CK_ATTRIBUTE array and its length."""
        return (Attribute * len(template))(*(self._field(k, octets_of(v)) for k, v in template.items())), len(template)

    def pointer(self, octets: bytes) -> int:
        """Where these octets stand from now on."""
        buffer = create_string_buffer(octets, len(octets) or 1)
        self._kept.append(buffer)
        return ctypes.addressof(buffer)

    def attributes(self, session: int, handle: int, rooms: Sequence[tuple[int, int | None]]) -> list[str]:
        """C_GetAttributeValue: the return value, then for each attribute what its ulValueLen says."""
        array = (Attribute * len(rooms))(
            *(Attribute(k, None if r is None else self.pointer(bytes(r)), r or 0) for k, r in rooms)
        )
        answer = self.call("GetAttributeValue", session, handle, array, len(rooms))
        return [answer, *("none" if a.length == UNAVAILABLE else str(a.length) for a in array)]

    def value(self, session: int, handle: int, kind: int, room: int = 512) -> bytes:
        """One attribute's value."""
        field = self._field(kind, bytes(room))
        self.call("GetAttributeValue", session, handle, field, 1)
        return ctypes.string_at(field.value, field.length)

    def find(self, session: int, template: Template) -> list[int]:
        """The three calls of a search."""
        self.call("FindObjectsInit", session, *self.template(template))
        found, count = (c_ulong * 100)(), c_ulong()
        self.call("FindObjects", session, found, 100, count)
        self.call("FindObjectsFinal", session)
        return list(found[: count.value])

    def slot_of(self, label: str) -> int:
        """The slot of the token with a label."""
        count = c_ulong()
        self.call("GetSlotList", TOKEN_PRESENT, None, count)
        slots = (c_ulong * count.value)()
        self.call("GetSlotList", TOKEN_PRESENT, slots, count)
        info = create_string_buffer(TOKEN_INFO_SIZE)
        for slot in slots:
            self.call("GetTokenInfo", slot, info)
            if info.raw[:LABEL_SIZE].decode().rstrip() == label:
                return int(slot)
        raise LookupError(f"no token is called {label}")

    @contextmanager
    def session(self, slot: int, flags: int = RW) -> Iterator[int]:
        """A session for one rule: no operation of another one is active."""
        _, handle = self.made("OpenSession", slot, flags, None, None)
        yield handle
        self.call("CloseSession", handle)

    def _field(self, kind: int, octets: bytes | None) -> Attribute:
        return Attribute(kind, None if octets is None else self.pointer(octets), len(octets or b""))


def octets_of(value: Value) -> bytes:
    """A value as C has it."""
    if isinstance(value, bool):
        return bytes((value,))
    return value.to_bytes(8, sys.byteorder) if isinstance(value, int) else value


def labelled(label: bytes, **more: Value) -> Template:
    """A template with a label; `more` names attributes."""
    return {Cka.LABEL: label, **{Cka[name]: value for name, value in more.items()}}
