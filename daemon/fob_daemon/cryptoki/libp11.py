"""A workaround for libp11, the library below OpenSSL's PKCS#11 engine (seen with 0.4.12).

It lists all keys of a class, one C_FindObjects each, and gives the whole list up at the first that is neither RSA nor
EC: a single Ed25519 key would hide all others from OpenSSL. What it could not use anyhow is left out of such a list.
"""

from typing import Final

from fob_daemon.cryptoki.objects import StoredObject
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Ckk, Cko

_USABLE: Final = frozenset({Ckk.RSA, Ckk.EC})
_SEARCHES: Final = ({Cka.CLASS: Cko.PRIVATE_KEY}, {Cka.CLASS: Cko.PUBLIC_KEY})


def may_be_libp11(template: Template, *, asked_library_info: bool) -> bool:
    """True for a search as libp11 makes it: after C_GetInfo, for a class of keys and nothing else."""
    return asked_library_info and template in _SEARCHES


def breaks_libp11(stored: StoredObject) -> bool:
    """True for a key of which libp11 knows no type."""
    return stored.attributes.get(Cka.KEY_TYPE) not in _USABLE
