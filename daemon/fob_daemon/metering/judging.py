"""A batch as the device rates it and the data centre takes it: looked at whole, before the first piece is paid (M17).

Two round trips (+FOBMETERABOUT, +FOBMETERRATE), and one more for each RATES_LIMIT different weights, classes and zones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fob_daemon.metering.refusing import PieceError, too_dear
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.views import MeterAbout, Piece, Weighed
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.limits import DAY, RATES_LIMIT

# What is rated together: which of these a rate is missing for only the component knows.
_WEIGHED: Final = "weight, class, zone"


async def judge(
    remote: RemoteMeter, command: str, pieces: Sequence[Piece], kind: str, now: int, tell: Callable[[int], None]
) -> None:
    """`kind`: the value kind; `tell` hears how many pieces are rated.

    Raises PieceError for the first piece that would be refused, ControlError, CkrError.
    """
    tell(0)
    about = await remote.about()
    rules = _Rules(about, await _rates(remote, command, pieces, tell), kind)
    total = 0
    for place, piece in enumerate(pieces):
        try:
            total += rules.amount(piece)
        except _FaultError as fault:
            raise PieceError(place, len(pieces), fault.column, str(fault)) from None
    left = about.most_for_a_day - (about.spent if about.day >= now // DAY else 0)
    if total > left:
        raise too_dear(amount_words(kind, total), amount_words(kind, max(left, 0)))


class _FaultError(ValueError):
    def __init__(self, column: str, why: str) -> None:
        self.column = column
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class _Rules:
    about: MeterAbout
    rates: Mapping[Weighed, int | str]
    kind: str

    def amount(self, piece: Piece) -> int:
        """What it costs. Raises _FaultError."""
        weighed = _weighed(piece)
        amount = (piece.amount or 0) if weighed is None else self.rates[weighed]
        column = "amount" if weighed is None else _WEIGHED
        if isinstance(amount, str):
            raise _FaultError(column, f"{piece.grams} g, {piece.service}, {piece.zone}: {amount}")
        most = self.about.most_for_a_piece
        if amount > most:
            words = amount_words(self.kind, amount), amount_words(self.kind, most)
            raise _FaultError(column, f"it costs {words[0]}, and a piece may cost at most {words[1]}")
        if piece.origin is not None and piece.origin not in self.about.origins:
            places = ", ".join(self.about.origins)
            raise _FaultError("origin", f"the mailer does not post at {piece.origin}; places: {places}")
        return amount


async def _rates(
    remote: RemoteMeter, command: str, pieces: Sequence[Piece], tell: Callable[[int], None]
) -> dict[Weighed, int | str]:
    """Of each that is weighed, asked for once; why there is none, where there is none."""
    asked = list(dict.fromkeys(weighed for piece in pieces if (weighed := _weighed(piece)) is not None))
    rates: dict[Weighed, int | str] = {}
    for start in range(0, len(asked), RATES_LIMIT):
        part = asked[start : start + RATES_LIMIT]
        rates |= zip(part, await remote.rates(command, part), strict=True)
        tell(len(rates) * len(pieces) // len(asked))
    return rates


def _weighed(piece: Piece) -> Weighed | None:
    if piece.grams is None or piece.zone is None:
        return None
    return piece.grams, piece.service, piece.zone
