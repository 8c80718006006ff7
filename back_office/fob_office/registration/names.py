"""Names of people: written as they like, compared so that no two that look alike are two people (R25)."""

import unicodedata
from typing import Final

from fob_office.refusing import RuleBrokenError
from fob_protocol.office.refusals import Refusal

# Cf: format characters, which nobody sees. NFKC leaves them.
_UNSEEN: Final = "Cf"


def name_key(name: str) -> str:
    """NFKC and case folding (Unicode's D146), without what nobody sees: format characters, spaces around or doubled.

    Raises RuleBrokenError for a name of nothing else, or with control or unassigned characters.
    """
    seen = "".join(character for character in name if unicodedata.category(character) != _UNSEEN)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", seen).casefold())
    folded = unicodedata.normalize("NFKC", folded.casefold())
    if not folded.isprintable() or not folded.strip():
        raise RuleBrokenError(Refusal.FIELDS_WRONG, "R25", "that is no name")
    return " ".join(folded.split())
