"""TLS for a first start: a certificate for this machine, and the CA that a PC is told to trust.

The CA's private key is thrown away, so it never vouches for anything else. Devices do not depend on TLS: what they
say is sealed; it keeps others from seeing that they talk.
"""

import datetime
import ipaddress
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fob_office.errors import UsageError
from fob_office.secrets.private_file import write_new

FOLDER: Final = "tls"
CA_FILE: Final = "tls/ca.pem"
_DAYS: Final = 1825
# RFC 1123, section 2.1.
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAME_LIMIT: Final = 253
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


def make_certificate(state: Path, names: Sequence[str], now: int) -> Path:
    """Key, certificate and CA in the folder `tls`, in place of what may be there; the CA's file. Raises OSError."""
    with suppress(FileNotFoundError):
        shutil.rmtree(state / FOLDER)
    (state / FOLDER).mkdir(mode=0o700)
    begin = datetime.datetime.fromtimestamp(now, datetime.UTC) - datetime.timedelta(hours=1)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name(f"Fob back office {names[0]} CA")
    ca = _ca_builder(ca_name, ca_key.public_key(), begin).sign(ca_key, SHA256())
    certificate = _builder(_name(names[0]), ca_name, key.public_key(), begin)
    for extension, is_critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([_alternative(name) for name in names]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ):
        certificate = certificate.add_extension(extension, is_critical)
    signed = certificate.sign(ca_key, SHA256())
    pem_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new(state / FOLDER / "key.pem", pem_key)
    write_new(state / FOLDER / "certificate.pem", signed.public_bytes(Encoding.PEM))
    write_new(state / CA_FILE, ca.public_bytes(Encoding.PEM))
    return state / CA_FILE


def check_name(name: str) -> None:
    """A host's name or address. Raises UsageError."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if len(name) > _NAME_LIMIT or not all(map(_LABEL.fullmatch, name.split("."))):
            why = f"'{name}' is neither a host's name, as office.example, nor an address"
            raise UsageError("no certificate can be made for that", why, "fob-office init --help") from None


def _ca_builder(name: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime.datetime) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = _builder(name, name, key, begin)
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True).add_extension(usage, True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime.datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=_DAYS))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
