"""The rules of registration: one holder of a name, one answer to a request, and nothing kept that is not needed."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.database.erasing import erase_some
from fob_office.devices.service import is_active
from fob_office.entitlements.service import begin_entitlements
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.registration.claim import Claim, read_claim
from fob_office.registration.keeping import seal_fields, seal_key, seal_ssk2, ssk2_of
from fob_office.registration.names import name_key
from fob_office.registration.standing import is_forgotten, is_taken, make_room
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.templates import TemplateSetting, good_templates, setting_of, signed_template
from fob_office.servers.identity import Identity
from fob_protocol.office.certificate import Usage
from fob_protocol.office.hashing import authenticate
from fob_protocol.office.limits import CONFIRM_TIME
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Reply, TemplateAnswer, authentication_key, seal_reply

# Of two requests that meet in the database one finds, at its second try, what the other one has done.
_TRIES: Final = 3
_USER_CODE_SIZE: Final = 16
_IV_SIZE: Final = 12
_SECRET_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What a new registration consists of, before it is known whether the name is free."""

    reply: Reply
    key: bytes

    def __repr__(self) -> str:
        return "_Agreed(...)"


class Registering:
    """What devices ask for; may be shared by threads."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def template(self, server: Identity) -> TemplateAnswer:
        """What there is to fill in at a server. Raises RuleBrokenError."""
        _check_use(server)
        with self._office.database.read() as session:
            setting = setting_of(session, server.name)
        return TemplateAnswer(server.signed, signed_template(setting, server, self._office.now()))

    def register(self, server: Identity, signed: bytes) -> bytes:
        """The sealed reply to a signed request; to the same one again, the same secret and code until it is confirmed.

        Raises OfficeError MALFORMED, RuleBrokenError.
        """
        claim = read_claim(signed)
        for _ in range(_TRIES):
            with self._office.database.read() as session:
                setting = setting_of(session, server.name)
                reply = self._answered(session, server, setting, claim)
            try:
                reply = reply or self._begin(server, setting, claim)
            except IntegrityError:
                # Somebody else was first with this name, or this very request: now it is there to be seen.
                continue
            iv = self._office.surroundings.random(_IV_SIZE)
            return seal_reply(reply, claim.request.ssk1, signed, iv)
        raise RuleBrokenError(Refusal.UNAVAILABLE, "R25", "others ask for the same name again and again", 1)

    def _answered(self, session: Session, server: Identity, setting: TemplateSetting, claim: Claim) -> Reply | None:
        """What was said to this request before (R26). None: it is new, or forgotten. Raises RuleBrokenError."""
        row = session.scalars(select(Registration).where(Registration.request == claim.digest)).one_or_none()
        if row is None or is_forgotten(row, self._office.now()):
            return None
        ssk2 = ssk2_of(self._office.sealer, row)
        if row.server != server.name or ssk2 is None:
            raise RuleBrokenError(Refusal.OUT_OF_DATE, "R26", "its secrets are forgotten, or it is another server's")
        return Reply(setting.access_path, row.user_code, ssk2)

    def _begin(self, server: Identity, setting: TemplateSetting, claim: Claim) -> Reply:
        """Raises RuleBrokenError, IntegrityError."""
        _check_use(server)
        now = self._office.now()
        template = claim.check_signature(server, good_templates(setting, server, now))
        # Whoever may not register is told nothing of names and fields, and nobody of devices whose key they have not.
        self._check_registrant(setting, claim.device)
        claim.check_fields(setting)
        key = name_key(claim.name)
        agreed = self._agree(server, setting, claim, template)
        row = self._row(server.name, key, claim, agreed, now)
        with self._office.database.write() as session:
            make_room(session, row, now)
            if is_taken(session, row):
                raise RuleBrokenError(Refusal.NAME_TAKEN, "R25", "somebody else has it")
            session.add(row)
            session.flush()
            begin_entitlements(session, agreed.reply.user_code, now, setting.applications, setting.components)
            erase_some(session, Registration, Registration.confirm_by, now)
        return agreed.reply

    def _check_registrant(self, setting: TemplateSetting, device: bytes) -> None:
        """Raises RuleBrokenError: a device that nobody knows, or one that is disabled; one word for both."""
        if setting.registrants == "known":
            with self._office.database.read() as session:
                if not is_active(session, device):
                    raise RuleBrokenError(Refusal.DENIED, "R25", "its device has no active record")

    def _agree(self, server: Identity, setting: TemplateSetting, claim: Claim, template: bytes) -> _Agreed:
        """The server's secret, the code, and the key of both sides (R13)."""
        random = self._office.surroundings.random
        user_code = authenticate(random(_SECRET_SIZE), [server.name, claim.name])[:_USER_CODE_SIZE]
        ssk2 = random(_SECRET_SIZE) if setting.form == "full" else b""
        reply = Reply(setting.access_path, user_code, ssk2)
        key = authentication_key(
            server.name, reply, claim.request.ssk1,
            certificate=server.signed, template=template, request=claim.signed,
        )  # fmt: skip
        return _Agreed(reply, key)

    def _row(self, server: str, key: str, claim: Claim, agreed: _Agreed, now: int) -> Registration:
        sealer, user_code = self._office.sealer, agreed.reply.user_code
        return Registration(
            user_code=user_code, server=server, name=claim.name, name_key=key, device=claim.device,
            request=claim.digest, standing=Standing.PENDING, created=now, confirm_by=now + CONFIRM_TIME,
            fields=seal_fields(sealer, user_code, claim.request.fields),
            authentication_key=seal_key(sealer, user_code, agreed.key),
            ssk2=seal_ssk2(sealer, user_code, agreed.reply.ssk2),
        )  # fmt: skip


def _check_use(server: Identity) -> None:
    """No name is taken for nothing. Raises RuleBrokenError UNAVAILABLE: nobody could ever be told what they may do."""
    if not server.may(Usage.ENTITLEMENT):
        raise RuleBrokenError(Refusal.UNAVAILABLE, "R21", "the issuer does not let this server say what people may do")
