"""A sealed question in, a sealed answer out: the door that every device comes through, without HTTP."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.role import Body, Handler, Role
from fob_office.servers.identity import Identity
from fob_office.servers.service import former, receiver
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.office import envelope
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Question, Service
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# The time and the seals around a body.
_ENVELOPE: Final = 512


OnRefusal = Callable[[Service, Refusal], None]


def _nobody(_: Service, __: Refusal) -> None:
    """Counts nothing."""


class UnreadableError(Exception):
    """The octets are no question, or sealed to none of the office's keys, or leave no key to answer to."""


class Answering:
    """The services of some roles."""

    def __init__(self, office: Office, roles: Sequence[Role], on_refusal: OnRefusal = _nobody) -> None:
        self._office = office
        self._on_refusal = on_refusal
        self._handlers: dict[Service, Handler] = {}
        self._usages: dict[Service, Usage] = {}
        for role in roles:
            self._handlers |= role.handlers(office)
            self._usages |= role.services
        # Reply keys are tried with it before anything is done.
        self._probe = X25519PrivateKey.generate()

    @property
    def services(self) -> Mapping[Service, Usage]:
        """Those that are answered here."""
        return self._usages

    def answer(self, service: Service, sealed: bytes) -> bytes:
        """What to send back, refusals too. Raises UnreadableError, and what the database cannot (CANNOT_NOW)."""
        server, question = self._open(service, sealed)
        body = self._body(Body(service, server, question.body, digest(sealed)))
        return envelope.seal_answer(server.signing_key, service, question, sealed, self._office.now(), body)

    def _open(self, service: Service, sealed: bytes) -> tuple[Identity, Question]:
        """Who is asked, and what. Raises UnreadableError."""
        try:
            key_id = hpke.receiver_of(sealed)
            with self._office.database.read() as session:
                server = receiver(session, self._office.sealer, key_id)
                if server is None and service is Service.DIRECTORY:
                    # Keys that a device does not yet know to be worth nothing: it hears so, from the newest ones.
                    server = former(session, self._office.sealer, key_id)
            if server is None or not server.may(self._usages[service]):
                raise UnreadableError(f"no key of this office opens a question of {service}")
            question = envelope.open_question(server.sealing_key, service, sealed)
            self._probe.exchange(X25519PublicKey.from_public_bytes(question.reply_key))
        except (CoseError, OfficeError) as error:
            raise UnreadableError(str(error)) from None
        except ValueError:
            raise UnreadableError("the reply key is none") from None
        return server, question

    def _body(self, body: Body) -> bytes:
        """A message of the service, or a refusal."""
        try:
            answered = self._handlers[body.service](body)
        except RefusedError as error:
            _log_refusal(body, error)
            return self._refusal(body.service, error)
        except OfficeError as error:
            log.info("refused", service=body.service, server=body.server.name, code=error.fault, clause="X8")
            return self._refusal(body.service, RefusedError(Refusal.MALFORMED))
        if len(answered) > ANSWER_LIMIT - _ENVELOPE:
            log.error("answer too large", service=body.service, octets=len(answered))
            return self._refusal(body.service, RefusedError(Refusal.UNAVAILABLE))
        return answered

    def _refusal(self, service: Service, error: RefusedError) -> bytes:
        self._on_refusal(service, error.refusal)
        return envelope.Refused(error.refusal, error.retry_after).octets()


def _log_refusal(body: Body, error: RefusedError) -> None:
    clause, why = (error.clause, error.why) if isinstance(error, RuleBrokenError) else ("X8", "")
    log.info("refused", service=body.service, server=body.server.name, code=error.refusal, clause=clause, why=why)
