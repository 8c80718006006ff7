"""What a device asks to be registered as, checked before anything is done."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fob_office.refusing import RuleBrokenError
from fob_office.registration.templates import TemplateSetting, wrong_fields
from fob_office.servers.identity import Identity
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import NAME, Request


@dataclass(frozen=True, slots=True)
class Claim:
    """A registration request. `signed` is as the device sent it, `request` what it says."""

    signed: bytes = field(repr=False)
    request: Request

    @property
    def digest(self) -> bytes:
        """By which the same request is known again."""
        return digest(self.signed)

    @property
    def device(self) -> bytes:
        """Its signing key."""
        return self.request.signing_key

    @property
    def name(self) -> str:
        """As the person wrote it; empty if they did not."""
        return self.request.fields.get(NAME, "")

    def check_signature(self, server: Identity, templates: Iterable[bytes]) -> bytes:
        """Of these signed templates the one that was filled in.

        Raises RuleBrokenError: signed by another key, for another certificate, or for a template that is over.
        """
        certificate = digest(server.signed)
        for template in templates:
            try:
                context = [certificate, digest(template)]
                sign1.verify(self.request.signing_key, Label.REGISTRATION_REQUEST, context, self.signed)
            except CoseError:
                continue
            return template
        raise RuleBrokenError(Refusal.OUT_OF_DATE, "R12", "not signed by its device for what the server asks for now")

    def check_fields(self, setting: TemplateSetting) -> None:
        """Raises RuleBrokenError: a field is missing, too long, or not asked for (R11)."""
        if wrong := wrong_fields(setting, self.request.fields):
            raise RuleBrokenError(Refusal.FIELDS_WRONG, "R11", f"field {wrong[0]}")


def read_claim(signed: bytes) -> Claim:
    """What a request says, before it is known who signed it. Raises OfficeError MALFORMED."""
    try:
        return Claim(signed, read(Request, sign1.unverified_payload(signed)))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None
