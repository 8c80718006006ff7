"""Whether the indicia that stand in a transaction are its own: worth what was franked, or comes back."""

from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.transactions import Deed, Transaction


def judge_indicia(place: int, transaction: Transaction) -> Finding | None:
    """As far as the transaction alone tells."""
    match transaction.deed:
        case Deed.FRANK:
            return _franked(place, transaction)
        case Deed.CREDIT:
            return _given_back(place, transaction)
    if transaction.indicia:
        return Finding(place, Outcome.UNLAWFUL, f"{transaction.name} has indicia, and franked nothing")
    return None


def _franked(place: int, transaction: Transaction) -> Finding | None:
    worth = sum(indicium.amount for indicium in transaction.indicia)
    if worth != transaction.amount:
        why = f"{transaction.name}: its indicia are worth {worth}, and {transaction.amount} was paid for them"
        return Finding(place, Outcome.UNLAWFUL, why)
    ascending = transaction.ascending - transaction.amount
    for piece, indicium in enumerate(transaction.indicia):
        ascending += indicium.amount
        said = indicium.serial, indicium.counter, indicium.piece, indicium.ascending
        if said != (transaction.serial, transaction.counter, piece, ascending):
            why = f"the indicium of piece {piece} of {transaction.name} is of another piece, or of other registers"
            return Finding(place, Outcome.MISPLACED, why)
    return None


def _given_back(place: int, transaction: Transaction) -> Finding | None:
    worth = [indicium.amount for indicium in transaction.indicia]
    if worth == [transaction.amount]:
        return None
    given = ", ".join(map(str, worth)) or "nothing"
    why = f"{transaction.name} credits {transaction.amount}, and what is given back is worth {given}"
    return Finding(place, Outcome.UNLAWFUL, why)
