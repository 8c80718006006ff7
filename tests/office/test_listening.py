"""Where the office listens: without TLS on its own machine only."""

import pytest

from fob_office.errors import OperatorError
from fob_office.listening import listen, parse_place


@pytest.mark.parametrize("place", ["127.0.0.1:0", "127.1.2.3:0", "localhost:0", "[::1]:0"])
def test_what_has_no_tls_listens_on_this_machine(place: str) -> None:
    with listen(parse_place(place), only_here=True) as listener:
        assert listener.getsockname()[1] > 0


@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_and_nowhere_else(place: str) -> None:
    with pytest.raises(OperatorError, match="is no loopback address: tokens would go over the network") as caught:
        listen(parse_place(place), only_here=True)
    assert "--anyway" in caught.value.command


@pytest.mark.parametrize("place", ["0.0.0.0:0", "[::]:0"])
def test_with_tls_it_listens_anywhere(place: str) -> None:
    with listen(parse_place(place)) as listener:
        assert listener.getsockname()[1] > 0
