"""NSS, the library of Firefox and Thunderbird, by its command line tools."""

from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from clients.certificates import certificate_on_phone
from support.live import Live, lines

# NSS takes random octets from a token that has some, as soon as it is loaded.
RANDOM = 1
LOGIN = 1
SIGNATURE = 1


@pytest.fixture(scope="module")
def nss(shared_phone: Live) -> Iterator[Live]:
    """A database with the stock module in it, and a certificate for the P-256 key."""
    (shared_phone.folder / "nss").mkdir()
    with certificate_on_phone(shared_phone, "P-256", "02"):
        yield shared_phone


@pytest.fixture(autouse=True)
def database(nss: Live) -> None:
    if not (nss.folder / "nss" / "cert9.db").exists():
        (nss.folder / "pin").write_text(nss.scratch.user_pin)
        nss.run("certutil", "-N", "-d", "sql:nss", "--empty-password")
        nss.run("modutil", "-force", "-dbdir", "sql:nss", "-add", "fob", "-libfile", nss.module)


def certutil(live: Live, *arguments: str) -> CompletedProcess[bytes]:
    return live.run("certutil", "-d", "sql:nss", "-h", live.label, "-f", "pin", *arguments)


@pytest.mark.clause("P9", "P13")
def test_the_module_is_a_token_of_nss(nss: Live) -> None:
    with nss.crossing() as link:
        said = nss.run("modutil", "-dbdir", "sql:nss", "-list", "fob").stdout.decode()
    assert link.round_trips == RANDOM
    assert f"Token Name: {nss.label}" in said
    assert "Status: Enabled" in said
    assert "Login Type: Login required" in said


@pytest.mark.clause("P9")
def test_certutil_lists_the_private_keys(nss: Live) -> None:
    with nss.crossing() as link:
        keys = [line for line in lines(certutil(nss, "-K").stdout) if line.startswith("<")]
    assert [line.split()[2:4] for line in keys] == [["rsa", "01"], ["ec", "02"], ["null", "03"]]
    assert link.round_trips == RANDOM + LOGIN


def test_certutil_finds_the_certificate_and_that_its_key_is_there(nss: Live) -> None:
    with nss.crossing() as link:
        found = [line.split() for line in lines(certutil(nss, "-L").stdout) if "P-256" in line]
    assert found == [[f"{nss.label}:P-256", "u,u,u"]], "u: the private key is at hand"
    assert link.round_trips == RANDOM + LOGIN


@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize("key_id", ["01", "02"], ids=["RSA-2048", "P-256"])
def test_nss_signs_a_certificate_request(nss: Live, key_id: str) -> None:
    with nss.crossing() as link:
        certutil(nss, "-R", "-k", key_id, "-s", "CN=nss", "-Z", "SHA256", "-a", "-o", "nss.req")
    assert link.round_trips == RANDOM + LOGIN + SIGNATURE
    verified = nss.run("openssl", "req", "-in", "nss.req", "-verify", "-noout")
    assert b"verify OK" in verified.stdout + verified.stderr
