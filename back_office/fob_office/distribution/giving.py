"""Making copies: one for each holder and program, a new one where the old one is over (V1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from fob_office.components.versions import pack, unpack
from fob_office.distribution.barring import BARRING, barring_copies
from fob_office.distribution.keeping import record_of, seal_identifier
from fob_office.distribution.tables import Copy, Holder
from fob_office.office import Office
from fob_office.programs.programs import Program
from fob_office.programs.settings import Setting, settings_of
from fob_office.refusing import RuleBrokenError
from fob_office.servers.identity import Identity, certificate_of
from fob_office.servers.service import current_keys
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.integrity.identifier import identifier_name
from fob_protocol.integrity.limits import IDENTIFIER_SIZE
from fob_protocol.integrity.validation import State
from fob_protocol.office.certificate import Usage
from fob_protocol.office.message import Version
from fob_protocol.office.refusals import Refusal

NUMBER_SIZE = 16
# When the operator may have added a validation server.
_LATER = 3600

Key = tuple[str, Version]


@dataclass(frozen=True, slots=True)
class Giving:
    """At one distribution server, in one transaction. `validation_server` is who appraises what is made."""

    session: Session
    office: Office
    holder: Holder
    validation_server: str

    def copies(self, programs: Sequence[Program], replaced: Iterable[bytes]) -> list[Copy]:
        """A copy of each program: that which there is, unless it is `replaced` (a number) and may be."""
        held = current_copies(self.session, self.holder, [(program.name, program.version) for program in programs])
        asked, withdrawn = set(replaced), {(one.name, one.version) for one in programs if one.is_withdrawn}
        digests = {(one.name, one.version): one.digest for one in programs}
        stays = {key: row for key, row in held.items() if key in withdrawn or not _is_over(row, digests[key], asked)}
        new = [program for program in programs if (program.name, program.version) not in stays]
        settings = settings_of(self.session, new) if new else {}
        barred = self._barred(new)
        self._end([row for key, row in held.items() if key not in stays])
        made = {(one.name, one.version): self._made(one, settings[one], is_barred=one.name in barred) for one in new}
        self.session.add_all(made.values())
        self.session.flush()
        return [(stays | made)[program.name, program.version] for program in programs]

    def by_letter(self, program: Program, setting: Setting, identifier: bytes) -> Copy:
        """A copy with the identifier of a letter, in the place of what the holder has.

        Raises RuleBrokenError DENIED: that is flagged, and no operator has said that there may be another.
        """
        held = current_copies(self.session, self.holder, [(program.name, program.version)])
        for row in barring_copies(self.session, self.holder.id, [program.name]):
            raise RuleBrokenError(Refusal.DENIED, "V16", f"its copy {row.number.hex()} is {State(row.state).name}")
        self._end(list(held.values()))
        made = self._made(program, setting, identifier)
        self.session.add(made)
        self.session.flush()
        return made

    def _barred(self, programs: Sequence[Program]) -> set[str]:
        """Of these programs those from which the holder is barred, in whatever version."""
        if not programs:
            return set()
        names = {program.name for program in programs}
        return {row.program for row in barring_copies(self.session, self.holder.id, names)}

    def _end(self, rows: Iterable[Copy]) -> None:
        for row in rows:
            row.is_current = False
            if row.state == State.VALID:
                row.state = State.DISABLED
        # Before another one is current.
        self.session.flush()

    def _made(
        self, program: Program, setting: Setting, identifier: bytes | None = None, *, is_barred: bool = False
    ) -> Copy:
        """Whoever is barred has a copy that is disabled: without one its program would need no validation.

        That of a withdrawn version is disabled too, and bars from no other one.
        """
        random = self.office.surroundings.random
        number, unique = random(NUMBER_SIZE), identifier or random(IDENTIFIER_SIZE)
        record = CopyRecord(
            number, program.name, program.version, program.size, program.digest, key_id(self.holder.key),
            setting.method, setting.policy, identifier_name(unique), self.validation_server, self.office.now(),
        )  # fmt: skip
        return Copy(
            number=number, holder=self.holder.id, program=program.name, version=pack(program.version),
            release=program.release, installation=program.installation, record=record.octets(),
            identifier=seal_identifier(self.office.sealer, number, unique),
            state=State.DISABLED if program.is_withdrawn or is_barred else State.VALID,
            is_reissued=program.is_withdrawn and not is_barred, created=self.office.now(),
        )  # fmt: skip


def current_copies(session: Session, holder: Holder, keys: Iterable[Key]) -> Mapping[Key, Copy]:
    """Of these programs, by name and version."""
    packed = [(name, pack(version)) for name, version in keys]
    query = select(Copy).where(
        Copy.holder == holder.id, Copy.is_current, tuple_(Copy.program, Copy.version).in_(packed)
    )
    return {(row.program, unpack(row.version)): row for row in session.scalars(query)}


def validation_server(session: Session, server: Identity) -> str:
    """Who appraises what this distribution server gives: itself, or the first one that may. Raises RuleBrokenError."""
    if server.may(Usage.VALIDATION):
        return server.name
    for keys in current_keys(session):
        if Usage.VALIDATION in certificate_of(keys).usages:
            return keys.server
    raise RuleBrokenError(Refusal.UNAVAILABLE, "V4", "there is no validation server", _LATER)


def _is_over(row: Copy, digest: bytes, replaced: set[bytes]) -> bool:
    """What is invalid is over when its holder has the program anew, what bars when an operator says so.

    All else is when the program is another one than it was: an operator has added it again.
    """
    if row.is_reissued or row.state in BARRING:
        return row.is_reissued
    return record_of(row).digest != digest or (row.state == State.INVALID and row.number in replaced)
