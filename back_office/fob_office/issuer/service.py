"""What the issuer does: certify a server, change its keys, revoke them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.components.tables import SignedRelease
from fob_office.errors import NotFoundError, OperatorError, UsageError
from fob_office.events.service import record
from fob_office.issuer.lists import DAY, LIST_DAYS, sign_list
from fob_office.issuer.tables import Issuer
from fob_office.office import Office
from fob_office.servers.identity import certificate_of, seal_keys
from fob_office.servers.key_pair import KeyPair
from fob_office.servers.service import LIST, newest_keys, sign_anew, still_opens
from fob_office.servers.tables import Server, ServerKeys
from fob_protocol.cose import sign1
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Certificate, RevocationList, Usage
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

# Three years and a bit: a certificate's end is a date to plan for, not a daily chore.
CERTIFICATE_DAYS: Final = 1200
# So many certificates, with names and titles of every length, are one answer of the directory.
SERVERS_LIMIT: Final = 100
# Of a server's first keys.
_FIRST: Final = 1
# Of servers whose private keys a data centre makes.
OF_CENTRE: Final = {Usage.METERING, Usage.BOXES}
# Clocks of devices go wrong by minutes.
EARLY: Final = 3600


def issuer_public_key(session: Session) -> bytes:
    """What devices are made with: raw, 32 octets."""
    return session.scalars(select(Issuer.public_key)).one()


class Issuing:
    """The issuer at work: one command's worth."""

    def __init__(self, office: Office, key: Ed25519PrivateKey, who: str = "operator") -> None:
        self._office = office
        self._key = key
        self._who = who
        self._check_key()

    def add_server(
        self,
        name: str,
        title: str,
        usages: tuple[Usage, ...],
        *,
        days: int = CERTIFICATE_DAYS,
        keys_file: Path | None = None,
    ) -> None:
        """A new server with the keys of epoch 1. `keys_file`: the private ones are kept in this new file, not here.

        Raises OperatorError: there is one of this name, or too many; UsageError.
        """
        with self._office.database.write() as session:
            if len(session.scalars(select(Server.name)).all()) >= SERVERS_LIMIT:
                why = f"{SERVERS_LIMIT} is what one answer to a device holds"
                raise OperatorError("there are too many servers", why, LIST)
            session.add(Server(name=name, epoch=_FIRST, least_epoch=0))
            try:
                session.flush()
            except IntegrityError:
                raise OperatorError(f"there is a server {name} already", "names are taken once", LIST) from None
            self._certify(session, Draft(name, title, usages, _FIRST, days), keys_file)
            self._record(session, "server added", name)

    def change_keys(self, name: str, *, days: int = CERTIFICATE_DAYS, keys_file: Path | None = None) -> None:
        """New keys of the next epoch; the old ones work until they are revoked. Raises OperatorError."""
        with self._office.database.write() as session:
            old = certificate_of(newest_keys(session, name))
            if OF_CENTRE & set(old.usages):
                why = "its private keys are in the data centre, which makes them itself"
                raise OperatorError(f"the keys of {name} were not changed", why, renewing(old))
            # Of an office that was put back to a backup more may be revoked than it has made since.
            least = session.scalars(select(Server.least_epoch).where(Server.name == name)).one()
            epoch = max(old.epoch + 1, least)
            change = update(Server).where(Server.name == name, Server.epoch == old.epoch).values(epoch=epoch)
            if session.scalars(change.returning(Server.name)).one_or_none() is None:
                raise OperatorError(f"the keys of {name} were not changed", "somebody else has just done so", LIST)
            draft = Draft(name, old.title, old.usages, epoch, days)
            self._certify(session, draft, keys_file)
            self._record(session, f"keys changed to epoch {draft.epoch}", name)

    def certify_elsewhere(self, name: str, title: str, usages: tuple[Usage, ...], keys: "PublicKeys") -> bytes:
        """A certificate, signed and not entered, of the next epoch of a server whose private keys are never here.

        Raises UsageError.
        """
        with self._office.database.read() as session:
            epoch = session.scalar(select(Server.epoch).where(Server.name == name)) or 0
        draft = Draft(name, title, usages, epoch + 1, CERTIFICATE_DAYS)
        return draft.certificate(keys, self._office.now()).signed(self._key)

    def renew_elsewhere(self, certificate: Certificate) -> bytes:
        """The same keys and epoch for CERTIFICATE_DAYS more, signed and not entered. Raises OperatorError: revoked."""
        name = certificate.server
        with self._office.database.read() as session:
            least = session.scalar(select(Server.least_epoch).where(Server.name == name)) or 0
        if certificate.epoch < least:
            why = f"all its keys below epoch {least} are revoked"
            raise OperatorError(f"the certificate of {name} was not renewed", why, renewing(certificate, anew=True))
        draft = Draft(name, certificate.title, certificate.usages, certificate.epoch, CERTIFICATE_DAYS)
        keys = PublicKeys(certificate.signing_key, certificate.sealing_key)
        return draft.certificate(keys, self._office.now()).signed(self._key)

    def enter_elsewhere(self, certificates: Iterable[bytes]) -> None:
        """What `certify_elsewhere` or `renew_elsewhere` gave, all or none; what was entered before changes nothing.

        Raises OperatorError: a server has other keys of this epoch.
        """
        with self._office.database.write() as session:
            for signed in certificates:
                self._enter(session, signed)

    def signs_releases(self, name: str) -> bool:
        """Whether there are releases by any keys of a server."""
        with self._office.database.read() as session:
            return (
                session.scalars(select(SignedRelease.id).where(SignedRelease.server == name).limit(1)).first()
                is not None
            )

    def revoke(
        self, name: str, *, everything: bool, days: int = LIST_DAYS, anyway: bool = False
    ) -> RevocationList:  # fmt: skip
        """The old keys of a server, or `everything`, are worth nothing from now on: a new list says so.

        Their private halves are erased, but for what `still_opens` says. Raises OperatorError, and not with `anyway`:
        what they signed would be given to no device any more.
        """
        with self._office.database.write() as session:
            newest = session.scalar(select(Server.epoch).where(Server.name == name))
            if newest is None:
                raise NotFoundError(f"there is no server {name}", "it was never added", LIST)
            least = newest + 1 if everything else newest
            if not anyway:
                _check_releases(session, name, least)
            change = update(Server).where(Server.name == name, Server.least_epoch < least).values(least_epoch=least)
            if session.scalars(change.returning(Server.name)).one_or_none() is None:
                raise OperatorError(f"{name} was not revoked", f"all below epoch {least} is revoked already", LIST)
            if least == _FIRST:
                help_ = renewing(certificate_of(newest_keys(session, name)), anew=True)
                raise OperatorError(f"{name} was not revoked", "it has no old keys", help_)
            erase_revoked(session, name, least)
            new = self._sign_list(session, days)
            self._record(session, f"revoked below epoch {least}", name)
        return new

    def renew_list(self, *, days: int = LIST_DAYS, at_least: int = 0) -> RevocationList:
        """A new list that says the same for longer, of a number that is not below. Raises OperatorError."""
        with self._office.database.write() as session:
            new = self._sign_list(session, days, at_least)
            self._record(session, f"revocation list {new.number}", "issuer")
        return new

    def _certify(self, session: Session, draft: "Draft", keys_file: Path | None) -> None:
        pair = KeyPair.made(self._office.surroundings)
        certificate = draft.certificate(PublicKeys.of(pair), self._office.now())
        sealed: tuple[bytes, bytes] | tuple[None, None] = (None, None)
        if keys_file is None:
            sealed = seal_keys(self._office.sealer, draft.name, draft.epoch, pair)
        session.add(
            ServerKeys(
                server=draft.name, epoch=draft.epoch, key_id=key_id(certificate.sealing_key),
                certificate=certificate.signed(self._key), signing_key=sealed[0], sealing_key=sealed[1],
            )
        )  # fmt: skip
        session.flush()
        if keys_file is not None:
            pair.write(keys_file)

    def _enter(self, session: Session, signed: bytes) -> None:
        certificate = read(Certificate, sign1.unverified_payload(signed))
        name, epoch = certificate.server, certificate.epoch
        there = session.get(ServerKeys, (name, epoch))
        if there is not None and _has_keys(there, certificate):
            if there.certificate != signed:
                there.certificate = signed
                self._record(session, f"certificate renewed, epoch {epoch}", name)
            return
        if there is not None:
            why = f"it has other keys of epoch {epoch}"
            raise OperatorError(f"server {name} was not entered", why, "the same command again")
        server = session.get(Server, name)
        if server is None:
            session.add(Server(name=name, epoch=epoch, least_epoch=0))
            session.flush()
        else:
            server.epoch = epoch
        key = key_id(certificate.sealing_key)
        session.add(
            ServerKeys(
                server=name, epoch=epoch, key_id=key, certificate=signed, signing_key=None, sealing_key=None
            )
        )  # fmt: skip
        self._record(session, f"keys of elsewhere, epoch {epoch}", name)

    def _sign_list(self, session: Session, days: int, at_least: int = 0) -> RevocationList:
        try:
            return sign_list(session, self._key, self._office.now(), days, at_least)
        except IntegrityError:
            why = "somebody else has just signed one of the same number"
            raise OperatorError("no revocation list was signed", why, "the same command again") from None

    def _record(self, session: Session, what: str, about: str) -> None:
        record(session, self._office.now(), self._who, what, about)

    def _check_key(self) -> None:
        """Raises OperatorError: devices of this office trust another issuer."""
        with self._office.database.read() as session:
            known = issuer_public_key(session)
        if known != self._key.public_key().public_bytes_raw():
            why = "devices of this office trust another one"
            raise OperatorError("that is not this office's issuer key", why, "fob-office issuer show")


def erase_revoked(session: Session, name: str, least: int) -> None:
    """The private halves of a server's keys below epoch `least`, but for what `still_opens` says."""
    for old in session.scalars(select(ServerKeys).where(ServerKeys.server == name, ServerKeys.epoch < least)):
        old.signing_key = None
        old.sealing_key = old.sealing_key if still_opens(certificate_of(old)) else None


def _check_releases(session: Session, server: str, least: int) -> None:
    """Raises OperatorError: releases would lose their signer."""
    alive = select(SignedRelease.id).join(Server, Server.name == SignedRelease.server)
    query = alive.where(Server.name == server, SignedRelease.epoch >= Server.least_epoch, SignedRelease.epoch < least)
    if count := len(session.scalars(query).all()):
        newest = newest_keys(session, server)
        command = sign_anew(newest) if newest.epoch >= least else f"fob-office server change-keys {server}"
        why = f"no device would be given the releases any more that these keys signed, {count} in number"
        raise OperatorError(f"{server} was not revoked", why, f"{command}; or --anyway")


def renewing(certificate: Certificate, *, anew: bool = False) -> str:
    """The command for more time, or (`anew`) for other keys."""
    if not OF_CENTRE & set(certificate.usages):
        return f"fob-office server change-keys {certificate.server}"
    return "fob-office centre renew" + (" --new-keys" if anew else "")


def _has_keys(row: ServerKeys, certificate: Certificate) -> bool:
    there = certificate_of(row)
    return (there.signing_key, there.sealing_key) == (certificate.signing_key, certificate.sealing_key)


class PublicKeys(NamedTuple):
    """Of a server, raw: Ed25519 and X25519."""

    signing: bytes
    sealing: bytes

    @classmethod
    def of(cls, pair: KeyPair) -> "PublicKeys":
        """The public halves."""
        return cls(pair.signing.public_key().public_bytes_raw(), pair.sealing.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Draft:
    """A certificate before it is signed."""

    name: str
    title: str
    usages: tuple[Usage, ...]
    epoch: int
    days: int

    def certificate(self, keys: PublicKeys, now: int) -> Certificate:
        """Valid from an hour ago. Raises UsageError for a name or title that no device would read."""
        drafted = Certificate(
            self.name, self.title, tuple(sorted(set(self.usages))), keys.signing, keys.sealing, self.epoch,
            max(0, now - EARLY), now + self.days * DAY,
        )  # fmt: skip
        try:
            return read(Certificate, drafted.octets())
        except OfficeError as error:
            raise UsageError("no device would read this certificate", error.why, "fob-office server --help") from None
