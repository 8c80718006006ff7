"""The post away from the data centre: tokens that are signatures, by the public keys in a file (M15, M16)."""

from fob_office.centre.postal.verifying import OnPiece, Outcome, Verdict, judge_past, judge_piece
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.verification import PublicKeys
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

_GENUINE = "its meter signed it; whether it was given back, or seen elsewhere, is not known here"
_NO_KEY = "the file has no key of meter {}: it is unknown, newer than the file, or of a kind that only boxes verify"


class Stranger:
    """One run. It knows what came by in this run alone, and nothing of what was given back."""

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys
        self._seen: dict[bytes, int] = {}

    async def verify(self, indicated: Indicated, on_piece: OnPiece, where: bytes = b"") -> Verdict:
        """What was altered is `forged`: nobody here knows what the meter made. Raises ValueError as Post does."""
        indicium = read(Indicium, indicated.indicium)
        if not self._keys.knows(indicium.serial):
            return Verdict(Outcome.UNKNOWN_METER, _NO_KEY.format(indicium.serial), indicium)
        if not self._keys.is_genuine(indicated):
            return Verdict(Outcome.FORGED, "the token is no signature of its meter over this", indicium)
        return judge_piece(indicium, on_piece) or self._past(indicium)

    def _past(self, indicium: Indicium) -> Verdict:
        its_digest = digest(indicium.octets())
        seen = self._seen.get(its_digest, 0)
        self._seen[its_digest] = seen + 1
        if seen == 0:
            return Verdict(Outcome.GENUINE, _GENUINE, indicium)
        return judge_past(indicium, seen, is_given_back=False)
