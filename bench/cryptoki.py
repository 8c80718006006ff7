"""A PKCS#11 module called directly, with as little between the clock and the module as Python allows."""

import ctypes
from collections.abc import Callable
from typing import Any, Final

from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm

# CK_FUNCTION_LIST, in the order of PKCS#11 v2.40, as far as it is used here.
FUNCTIONS: Final = (
    "Initialize", "Finalize", "GetInfo", "GetFunctionList", "GetSlotList", "GetSlotInfo", "GetTokenInfo",
    "GetMechanismList", "GetMechanismInfo", "InitToken", "InitPIN", "SetPIN", "OpenSession", "CloseSession",
    "CloseAllSessions", "GetSessionInfo", "GetOperationState", "SetOperationState", "Login", "Logout", "CreateObject",
    "CopyObject", "DestroyObject", "GetObjectSize", "GetAttributeValue", "SetAttributeValue", "FindObjectsInit",
    "FindObjects", "FindObjectsFinal", "EncryptInit", "Encrypt", "EncryptUpdate", "EncryptFinal", "DecryptInit",
    "Decrypt", "DecryptUpdate", "DecryptFinal", "DigestInit", "Digest", "DigestUpdate", "DigestKey", "DigestFinal",
    "SignInit", "Sign", "SignUpdate", "SignFinal",
)  # fmt: skip

SERIAL_SESSION: Final = 4
USER: Final = 1
LABEL_SIZE: Final = 32
PRIVATE_KEY: Final = 3
MAX_SLOTS: Final = 16
MAX_SIGNATURE: Final = 512

CkUlong = ctypes.c_ulong


class CkAttribute(ctypes.Structure):
    """CK_ATTRIBUTE."""

    _fields_ = (("type", CkUlong), ("value", ctypes.c_void_p), ("length", CkUlong))


class CkMechanism(ctypes.Structure):
    """CK_MECHANISM."""

    _fields_ = (("mechanism", CkUlong), ("parameter", ctypes.c_void_p), ("length", CkUlong))


class CkFunctionList(ctypes.Structure):
    """CK_FUNCTION_LIST."""

    _fields_ = (("version", ctypes.c_ubyte * 2), ("functions", ctypes.c_void_p * len(FUNCTIONS)))


class CkSessionInfo(ctypes.Structure):
    """CK_SESSION_INFO."""

    _fields_ = (("slot", CkUlong), ("state", CkUlong), ("flags", CkUlong), ("error", CkUlong))


class CkrError(Exception):
    """A function did not return CKR_OK."""


class Module:
    """A loaded and initialised module; a function is called by its name without `C_`. Raises CkrError."""

    def __init__(self, path: str) -> None:
        pointer = ctypes.POINTER(CkFunctionList)()
        ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(pointer))
        make = ctypes.CFUNCTYPE(CkUlong)
        self._functions = {
            name: make(address) for name, address in zip(FUNCTIONS, pointer.contents.functions, strict=True) if address
        }
        self.call("Initialize", None)

    def function(self, name: str) -> Callable[..., int]:
        """The function itself, for loops that are timed; returns a CKR."""
        return self._functions[name]

    def call(self, name: str, *arguments: Any) -> None:
        """Raises CkrError."""
        ckr = self._functions[name](*arguments)
        if ckr:
            raise CkrError(f"C_{name}: 0x{ckr:X}")


class Session:
    """A session, logged in, with the token of a label."""

    def __init__(self, module: Module, label: str, pin: str) -> None:
        self.module = module
        self.handle = CkUlong()
        module.call("OpenSession", self._slot(label), CkUlong(SERIAL_SESSION), None, None, ctypes.byref(self.handle))
        module.call("Login", self.handle, CkUlong(USER), pin.encode(), CkUlong(len(pin)))

    def private_key(self, label: str) -> CkUlong:
        """The private key of a label. Raises CkrError."""
        name, kind = ctypes.create_string_buffer(label.encode(), len(label)), CkUlong(PRIVATE_KEY)
        template = (CkAttribute * 2)(
            CkAttribute(Cka.LABEL, ctypes.addressof(name), len(label)),
            CkAttribute(Cka.CLASS, ctypes.addressof(kind), ctypes.sizeof(kind)),
        )
        found, count = CkUlong(), CkUlong()
        self.module.call("FindObjectsInit", self.handle, template, CkUlong(2))
        self.module.call("FindObjects", self.handle, ctypes.byref(found), CkUlong(1), ctypes.byref(count))
        self.module.call("FindObjectsFinal", self.handle)
        if count.value != 1:
            raise CkrError(f"no private key '{label}'")
        return found

    def sign(self, key: CkUlong, mechanism: Ckm, *parts: bytes) -> bytes:
        """C_SignInit and C_Sign; for more than one part C_SignUpdate for each, and C_SignFinal."""
        signature, size = ctypes.create_string_buffer(MAX_SIGNATURE), CkUlong(MAX_SIGNATURE)
        self.module.call("SignInit", self.handle, ctypes.byref(CkMechanism(mechanism, None, 0)), key)
        if len(parts) == 1:
            data = parts[0]
            self.module.call("Sign", self.handle, data, CkUlong(len(data)), signature, ctypes.byref(size))
        else:
            for part in parts:
                self.module.call("SignUpdate", self.handle, part, CkUlong(len(part)))
            self.module.call("SignFinal", self.handle, signature, ctypes.byref(size))
        return signature.raw[: size.value]

    def _slot(self, label: str) -> CkUlong:
        slots, count = (CkUlong * MAX_SLOTS)(), CkUlong(MAX_SLOTS)
        self.module.call("GetSlotList", ctypes.c_ubyte(1), slots, ctypes.byref(count))
        for slot in slots[: count.value]:
            # Room for the whole CK_TOKEN_INFO; the label stands at its beginning.
            information = ctypes.create_string_buffer(MAX_SIGNATURE)
            self.module.call("GetTokenInfo", CkUlong(slot), information)
            if information.raw[:LABEL_SIZE].decode().rstrip() == label:
                return CkUlong(slot)
        raise CkrError(f"no token '{label}'")
