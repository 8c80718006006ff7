"""What function servers are told of the office is renewed: certificates, keys, and whose tickets count."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder, open_folder
from fob_office.centre.bus.errors import DirectoryError, PassError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.founding.plan import RATES
from fob_office.centre.founding.telling import BOXES, METERING, validation_key
from fob_office.centre.function.settings import (
    FORMER_LIMIT,
    Admitted,
    FormerKeys,
    Told,
    certificate_in,
    read_told,
    write_settings,
)
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.restarting import changing_alone, restart
from fob_office.centre.operating.standing import whole_here
from fob_office.centre.places import CentreSettings, KindSettings
from fob_office.centre.supervising.renewing import ends_first
from fob_office.errors import OperatorError
from fob_office.issuer.ends import NOTICE_DAYS, soon_over, when_over
from fob_office.issuer.service import Issuing, PublicKeys
from fob_office.office import Office
from fob_office.servers.identity import certificate_of
from fob_office.servers.key_pair import KeyPair
from fob_office.servers.service import newest_keys
from fob_office.shipped import shipped
from fob_office.surroundings import Surroundings
from fob_protocol.metering.limits import DAY

RENEW: Final = "fob-office centre renew"


@dataclass(frozen=True, slots=True)
class Renewed:
    """`until` (seconds since 1970) both certificates are good; the function servers that were told."""

    until: int
    epoch: int
    told: tuple[str, ...]


def renew(office: Office, issuing: Issuing, centre: Path, *, with_new_keys: bool) -> Renewed:
    """Function servers that run start anew, one by one. Cut off anywhere, the same command goes on.

    Raises OperatorError, TamperedError, DirectoryError, OSError.
    """
    with changing_alone(centre):
        folders = function_folders(centre, office.surroundings)
        if not folders:
            raise OperatorError("nothing was renewed", "no function server is here", STATUS)
        with office.database.read() as session:
            validation = validation_key(session)
            boxes = certificate_of(newest_keys(session, BOXES))
        now = _newest(folders)
        signed = issuing.renew_elsewhere(boxes)
        told = _with_new_keys(office, issuing, now) if with_new_keys else _renewed(issuing, now)
        admitted = tuple(replace(one, validation_key=validation) for one in told.admitted)
        told = replace(told, admitted=admitted)
        # Whoever asks by what the office says is understood by all of them by then.
        asyncio.run(_tell(centre, folders, told))
        issuing.enter_elsewhere((told.certificate, signed))
    certificate = certificate_in(told)
    return Renewed(certificate.not_after, certificate.epoch, tuple(folder.name for folder in folders))


def trouble_of(office: Office, centre: Path) -> list[str]:
    """A sentence for what ends soon, and for what function servers believe of the office and is so no more."""
    with office.database.read() as session:
        found = soon_over(session, office)
    found += _passes(office, centre)
    try:
        return found + _differences(office, centre)
    except (OperatorError, DirectoryError, TamperedError) as error:
        return [*found, f"what function servers were told is not known: {error}"]


def _passes(office: Office, centre: Path) -> list[str]:
    """They are renewed by themselves long before, as long as nothing is in the way."""
    with office.database.read() as session:
        manufacturing = certificate_of(newest_keys(session, BOXES)).signing_key
    try:
        ends = ends_first(centre, manufacturing)
    except (DirectoryError, PassError) as error:
        return [f"when passes end is not known: {error}"]
    if ends is None or (left := ends - office.now()) >= NOTICE_DAYS * DAY:
        return []
    renews = "a data centre that runs renews it before, if its manufacturing box answers; and each start those here"
    return [f"the first pass of the data centre's processes {when_over(left)} ({renews}): {STATUS}"]


def _differences(office: Office, centre: Path) -> list[str]:
    found = []
    with office.database.read() as session:
        validation = validation_key(session)
        epoch = certificate_of(newest_keys(session, METERING)).epoch
    for folder in function_folders(centre, office.surroundings):
        told = read_told(folder)
        if any(one.validation_key != validation for one in told.admitted):
            found.append(f"{folder.name} admits no ticket of the validation server's newest keys: {RENEW}")
        if certificate_in(told).epoch != epoch:
            found.append(f"{folder.name} has other keys than devices are told of: {RENEW}")
    return found


def function_folders(centre: Path, surroundings: Surroundings) -> list[BoxFolder]:
    """Of the function servers of this machine that were not tampered with. Raises DirectoryError, TamperedError."""
    names = whole_here(centre, Kind.FUNCTION)
    return [open_folder(centre / name, name, surroundings.random) for name in names]


def told_anew(office: Office, issuing: Issuing, settings: CentreSettings) -> Told:
    """For a function server, where none is left that has the keys: new ones, certified and not entered.

    Raises OperatorError.
    """
    with office.database.read() as session:
        validation = validation_key(session)
        before = certificate_of(newest_keys(session, METERING))
    pair = KeyPair.made(office.surroundings)
    return Told(
        issuing.certify_elsewhere(METERING, before.title, before.usages, PublicKeys.of(pair)),
        pair.signing.private_bytes_raw(),
        pair.sealing.private_bytes_raw(),
        tuple(_admitted(name, validation, kind) for name, kind in settings.value_kinds.items()),
        settings.deposit,
        fee=settings.fee,
    )


def _admitted(name: str, validation: bytes, kind: KindSettings) -> Admitted:
    programs = kind.programs or {RATES: shipped()[RATES].version}
    return Admitted(name, validation, DAY if kind.age is None else kind.age, programs)


def _newest(folders: list[BoxFolder]) -> Told:
    """Of what they were told: it may have been cut off between two of them."""
    return max((read_told(folder) for folder in folders), key=lambda told: certificate_in(told).epoch)


def _renewed(issuing: Issuing, told: Told) -> Told:
    return replace(told, certificate=issuing.renew_elsewhere(certificate_in(told)))


def _with_new_keys(office: Office, issuing: Issuing, told: Told) -> Told:
    before = certificate_in(told)
    pair = KeyPair.made(office.surroundings)
    signed = issuing.certify_elsewhere(METERING, before.title, before.usages, PublicKeys.of(pair))
    # Devices ask by the keys of before until they have heard of these.
    former = FormerKeys(told.certificate, told.signing_key, told.sealing_key)
    return replace(
        told, certificate=signed, signing_key=pair.signing.private_bytes_raw(),
        sealing_key=pair.sealing.private_bytes_raw(), former=(former, *told.former)[:FORMER_LIMIT],
    )  # fmt: skip


async def _tell(centre: Path, folders: list[BoxFolder], told: Told) -> None:
    for folder in folders:
        write_settings(folder, told)
        await restart(centre, folder.name)
