"""What a certificate says of itself (X.509, RFC 5280, section 4.1), without judging it."""

import hashlib
from dataclasses import dataclass
from typing import Final

from fob_device.token import der

_VERSION: Final = 0xA0
# CKA_CHECK_VALUE: the first three octets of the SHA-1 of the certificate (PKCS#11 v2.40 base, section 4.6.3).
_CHECK_VALUE_SIZE: Final = 3


@dataclass(frozen=True, slots=True)
class CertificateFields:
    """Serial number, issuer and subject as DER, exactly as they stand in the certificate."""

    serial_number: bytes
    issuer: bytes
    subject: bytes


def read_certificate(value: bytes) -> CertificateFields:
    """The fields of a DER certificate. Raises DerError."""
    certificate = der.Reader(der.only_content(der.SEQUENCE, value))
    fields = der.Reader(certificate.content(der.SEQUENCE))
    if fields.next_tag() == _VERSION:
        fields.element()
    serial_number = der.encode(der.INTEGER, fields.content(der.INTEGER))
    fields.content(der.SEQUENCE)  # signature algorithm
    issuer = der.encode(der.SEQUENCE, fields.content(der.SEQUENCE))
    fields.content(der.SEQUENCE)  # validity
    subject = der.encode(der.SEQUENCE, fields.content(der.SEQUENCE))
    fields.content(der.SEQUENCE)  # subject public key info
    return CertificateFields(serial_number, issuer, subject)


def check_value(value: bytes) -> bytes:
    """CKA_CHECK_VALUE of a certificate."""
    return hashlib.sha1(value, usedforsecurity=False).digest()[:_CHECK_VALUE_SIZE]
