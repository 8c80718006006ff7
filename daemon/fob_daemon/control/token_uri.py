"""PKCS#11 URIs (RFC 7512)."""

from typing import Final
from urllib.parse import quote

from fob_daemon.cryptoki.interface import TokenInfo

# RFC 7512, section 2.3: what a path attribute may hold unescaped beside letters and digits.
_SAFE: Final = "-._~:[]@!$'()*+,=&"


def key_uri(token: TokenInfo, label: str, key_id: bytes, object_type: str) -> str:
    """The URI that names one object: token by label and serial number, object by id, label and type."""
    attributes = {
        "token": quote(token.label, safe=_SAFE),
        "serial": quote(token.serial, safe=_SAFE),
        "id": "".join(f"%{octet:02X}" for octet in key_id),
        "object": quote(label, safe=_SAFE),
        "type": object_type,
    }
    return "pkcs11:" + ";".join(f"{name}={value}" for name, value in attributes.items() if value)
