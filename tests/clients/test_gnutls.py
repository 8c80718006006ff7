"""p11tool of GnuTLS on a running phone and daemon. It logs in for nearly everything it looks at."""

from subprocess import CompletedProcess

import pytest

from support.live import Live, lines

# One to list, and one for each of the six objects that it then describes.
LOGINS_OF_A_LIST = 7


def p11tool(live: Live, *arguments: str, check: bool = True) -> CompletedProcess[bytes]:
    """Without questions, and with the PIN that it finds in its environment."""
    return live.run(
        "p11tool", "--provider", live.module, "--batch", *arguments, check=check, GNUTLS_PIN=live.scratch.user_pin
    )


def token(live: Live, **more: str) -> str:
    """The URI of the token, or of something on it."""
    return ";".join([f"pkcs11:token={live.label}", *(f"{name}={value}" for name, value in more.items())])


@pytest.mark.clause("P9", "P13")
def test_listing_costs_nothing(live: Live) -> None:
    with live.crossing() as link:
        tokens = p11tool(live, "--list-token-urls").stdout
        objects = p11tool(live, "--list-all", token(live)).stdout
    assert link.octets == 0
    assert f"token={live.label}".encode() in tokens
    assert [line.split()[-1] for line in lines(objects) if "Label:" in line] == ["RSA-2048", "P-256", "Ed25519"]


def test_a_list_with_a_login_costs_its_logins(live: Live) -> None:
    with live.crossing() as link:
        objects = p11tool(live, "--login", "--list-all", token(live)).stdout
    assert [line.split("Type: ")[1] for line in lines(objects) if "Type:" in line] == [
        "Public key (RSA-2048)",
        "Private key (RSA-2048)",
        "Public key (EC/ECDSA-SECP256R1)",
        "Private key (EC/ECDSA-SECP256R1)",
        "Public key (EdDSA (Ed25519))",
        "Private key (EdDSA (Ed25519))",
    ]
    assert link.round_trips == LOGINS_OF_A_LIST


@pytest.mark.clause("P2", "P9")
@pytest.mark.parametrize("label", ["RSA-2048", "P-256"])
def test_a_signature_asked_for_twice_is_made_once(live: Live, label: str) -> None:
    """GnuTLS calls C_Sign for the length and again for the signature, then verifies on the PC."""
    with live.crossing() as link:
        said = p11tool(live, "--login", "--test-sign", token(live, object=label, type="private"))
    assert (said.stdout + said.stderr).count(b"... ok") == 3
    assert link.round_trips == 2


def test_a_key_is_made_and_deleted(live: Live) -> None:
    made = p11tool(
        live, "--login", "--generate-privkey=ecdsa", "--curve=secp256r1", "--label=made", "--id=60", token(live)
    )
    assert b"BEGIN PUBLIC KEY" in made.stdout
    deleted = p11tool(live, "--login", "--delete", token(live, object="made"))
    assert b"2 objects deleted" in deleted.stdout + deleted.stderr
    assert b"made" not in p11tool(live, "--list-all", token(live)).stdout
