"""Whatever a PC says of pieces is pieces, or refused in one way."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from fob_device.metering.arguments import PIECE_VALUES, wanted_pieces
from fob_protocol.at.values import Value
from fob_protocol.errors import AtSyntaxError
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.pkcs11.errors import CkrError

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.integers(0, 1 << 64), st.binary(max_size=4), st.text(max_size=20),
    st.sampled_from(["letter", "domestic", "10115", "Ann, Berlin"]),
)  # fmt: skip


@given(st.lists(VALUES, max_size=3 * PIECE_VALUES))
def test_any_values(values: list[Value]) -> None:
    with suppress(AtSyntaxError, CkrError):
        pieces = wanted_pieces(tuple(values))
        assert 1 <= len(pieces) <= BATCH_LIMIT
        assert all((piece.weighed is None) == (piece.amount > 0) for piece in pieces)
