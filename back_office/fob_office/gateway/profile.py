"""Application `profile`: level 1 sees what was filled in at the registration, 2 changes it, all but the name.

show -> a CBOR map of field and text;  change, body: such a map -> nothing
"""

from typing import Final

from fob_office.gateway.application import BAD_REQUEST, OK, Application, Call, Route, answer
from fob_office.registration.keeping import fields_octets, fields_of, seal_fields
from fob_office.registration.templates import setting_of, wrong_fields
from fob_protocol.cose.cbor import decode
from fob_protocol.cose.errors import CborError
from fob_protocol.office.entitlements import Used
from fob_protocol.office.registration import NAME


def _show(call: Call) -> Used:
    return Used(OK, fields_octets(fields_of(call.sealer, call.person)))


def _change(call: Call) -> Used:
    try:
        given = decode(call.body)
    except CborError:
        return answer(BAD_REQUEST)
    if not isinstance(given, dict):
        return answer(BAD_REQUEST)
    fields = {name: text for name, text in given.items() if isinstance(name, str) and isinstance(text, str)}
    if len(fields) != len(given) or fields.get(NAME) != call.person.name:
        return answer(BAD_REQUEST)
    if wrong_fields(setting_of(call.session, call.person.server), fields):
        return answer(BAD_REQUEST)
    call.person.fields = seal_fields(call.sealer, call.person.user_code, fields)
    return answer(OK)


PROFILE: Final = Application("profile", {"show": Route(1, _show), "change": Route(2, _change)})
