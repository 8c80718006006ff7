"""Whether what is to be signed is a TLS client's proof of its key (RFC 8446, section 4.4.3)."""

from typing import Final

# TLS 1.3's hashes are SHA-256 and SHA-384 (RFC 8446, appendix B.4).
_TRANSCRIPT_SIZES: Final = (32, 48)
_HEAD: Final = b" " * 64 + b"TLS 1.3, client CertificateVerify\0"


class ClientVerify:
    """Sees the data that is signed go by, in parts; keeps no more of it than such a proof has."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._size = 0

    def update(self, part: bytes) -> None:
        """Take a look at a part."""
        self._size += len(part)
        if (room := len(_HEAD) - len(self._head)) > 0:
            self._head += part[:room]

    @property
    def is_tls_client(self) -> bool:
        """True when all parts together are the content of a client's CertificateVerify."""
        return self._head == _HEAD and self._size - len(_HEAD) in _TRANSCRIPT_SIZES
