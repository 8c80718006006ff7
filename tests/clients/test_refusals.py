"""A no on the phone, a PIN that nobody types, a question without an answer: what real programs say, and how they go on.

Each operation is one question, whatever a program does when it fails; and nothing of it is left for the next one.
"""

import sys
from collections.abc import Iterator

import pytest

from clients.conversation import PROGRAMS
from clients.engine import ENGINE, openssl, private_uri
from clients.person import NO, NONE, Answer, Person
from support.live import Live
from support.screen_phone import ScreenPhone, screen_phone

# Seconds after which the daemon gives up waiting; what is answered takes less, however busy the machine is.
IMPATIENT = "[timeouts]\nlogin = 2\nprivate_operation = 2\n"

# What pkcs11-tool of Debian 12 calls CKR_FUNCTION_REJECTED, of PKCS#11 3.0.
REJECTED = "(0x200)"
CANCELED = "CKR_FUNCTION_CANCELED (0x50)"

SIGNATURES = {
    "SHA256-RSA-PKCS": ("01", "message"),
    "SHA256-RSA-PKCS, in parts": ("01", "long"),
    "RSA-PKCS": ("01", "digest"),
    "ECDSA": ("02", "digest"),
    "ECDSA-SHA1": ("02", "message"),
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, ScreenPhone, Person]]:
    """A phone that asks about each use, unlocked, with a person who says what a test plans."""
    with screen_phone(tmp_path_factory.mktemp("refusals")) as (live, phone):
        for name, content in (("message", b"text"), ("long", bytes(100_000)), ("digest", bytes(32))):
            (live.folder / name).write_bytes(content)
        yield live, phone, Person(live, phone)


@pytest.fixture
def live(pair: tuple[Live, ScreenPhone, Person]) -> Live:
    """Programs and the daemon."""
    return pair[0]


@pytest.fixture
def phone(pair: tuple[Live, ScreenPhone, Person]) -> ScreenPhone:
    """The phone."""
    return pair[1]


@pytest.fixture
def person(pair: tuple[Live, ScreenPhone, Person]) -> Person:
    """Nothing is planned yet."""
    pair[2].plan()
    return pair[2]


@pytest.fixture
def impatient(live: Live) -> Iterator[None]:
    """A daemon that does not wait for long."""
    patient = live.scratch.config.read_text()
    configure(live, patient.replace("[timeouts]\n", IMPATIENT))
    yield
    configure(live, patient)


def configure(live: Live, configuration: str) -> None:
    """Start the daemon anew."""
    live.scratch.config.write_text(configuration)
    live.restart_daemon()
    live.await_state("ready")


def tool(live: Live, *arguments: str) -> str:
    """What pkcs11-tool says is wrong; nothing when it ends well."""
    done = live.pkcs11_tool(*arguments, check=False)
    said = done.stderr.decode()
    assert bool(done.returncode) is ("error:" in said)
    return "".join(line for line in said.splitlines() if line.startswith("error:"))


def signing(how: str) -> tuple[str, ...]:
    """Arguments of pkcs11-tool."""
    key_id, file = SIGNATURES[how]
    mechanism = how.partition(",")[0]
    return "--sign", "--mechanism", mechanism, "--id", key_id, "--input-file", file, "--output-file", "signature"


@pytest.mark.parametrize("how", SIGNATURES)
def test_pkcs11_tool_signs_after_a_no(live: Live, person: Person, how: str) -> None:
    """It tries again by C_SignUpdate and C_SignFinal when C_Sign fails: the no is for that too."""
    person.plan(NO)
    assert (
        tool(live, *signing(how)) == f"error: PKCS11 function C_SignFinal failed: rv = unknown PKCS11 error {REJECTED}"
    )
    assert len(person.words) == 1
    assert person.words[0].startswith("sign with '")
    assert tool(live, *signing(how)) == ""
    assert len(person.words) == 2


def test_pkcs11_tool_decrypts_after_a_no(live: Live, person: Person) -> None:
    encrypt(live)
    person.plan(NO)
    decrypt = ("--decrypt", "--mechanism", "RSA-PKCS", "--id", "01", "--input-file", "secret", "--output-file", "plain")
    assert REJECTED in tool(live, *decrypt)
    assert not (live.folder / "plain").exists() or (live.folder / "plain").read_bytes() == b""
    assert tool(live, *decrypt) == ""
    assert (live.folder / "plain").read_bytes() == b"text"
    assert [words.split(" for ")[0] for words in person.words] == 2 * ["decrypt with 'RSA-2048'"]


def encrypt(live: Live) -> None:
    """`secret`, for the RSA key."""
    key = ("-pubin", "-inkey", str(live.public_key("RSA-2048")))
    live.run("openssl", "pkeyutl", "-encrypt", *key, "-in", "message", "-out", "secret")


def test_what_cannot_be_is_refused_without_a_question(live: Live, person: Person) -> None:
    """The stock module of Debian 12 lets no parameters of ECDH through; secret keys are session objects."""
    encrypt(live)
    live.run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "peer.pem")
    live.run("openssl", "ec", "-in", "peer.pem", "-pubout", "-outform", "DER", "-out", "peer.der")
    derive = ("--derive", "--mechanism", "ECDH1-DERIVE", "--id", "02", "--input-file", "peer.der")
    assert "C_DeriveKey failed: rv = CKR_MECHANISM_INVALID" in tool(live, *derive)
    unwrap = ("--unwrap", "--mechanism", "RSA-PKCS", "--id", "01", "--input-file", "secret", "--key-type", "AES:")
    assert "C_UnwrapKey failed: rv = CKR_TEMPLATE_INCONSISTENT" in tool(live, *unwrap)
    assert person.words == []


@pytest.mark.parametrize("label", ["RSA-2048", "P-256"])
def test_the_engine_signs_after_a_no(live: Live, person: Person, label: str) -> None:
    sign = ("dgst", *ENGINE, "-sha256", "-sign", private_uri(live, label), "-out", "signature", "message")
    person.plan(NO)
    done = openssl(live, *sign, check=False)
    assert done.returncode == 1
    assert b"Error signing data" in done.stderr
    assert b"ERR_CKR_error:reason(512)" in done.stderr, "0x200"
    assert openssl(live, *sign).returncode == 0
    assert [words.split(" for openssl")[0] for words in person.words] == 2 * [f"sign with '{label}'"]


def test_the_engine_decrypts_after_a_no(live: Live, person: Person) -> None:
    encrypt(live)
    decrypt = ("pkeyutl", "-decrypt", *ENGINE, "-inkey", private_uri(live, "RSA-2048"), "-in", "secret")
    person.plan(NO)
    done = openssl(live, *decrypt, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert openssl(live, *decrypt).stdout == b"text"
    assert len(person.words) == 2


@pytest.mark.parametrize(
    ("call", "answer", "questions"),
    [
        ("sign", "CKR_FUNCTION_REJECTED", 1),
        ("decrypt", "CKR_FUNCTION_REJECTED", 1),
        ("unwrap", "CKR_FUNCTION_REJECTED", 1),
        ("so_login", "CKR_FUNCTION_CANCELED", 1),
        ("set_pin", "CKR_FUNCTION_CANCELED", 3),
    ],
)
def test_a_session_goes_on_after_a_no(
    live: Live, phone: ScreenPhone, person: Person, call: str, answer: str, questions: int
) -> None:
    """A PIN that is not typed is no wrong one."""
    tries = phone.person.lock.tries_left
    person.plan(NO)
    assert twice(live, call) == [answer, "OK"]
    assert len(person.words) == 1 + questions, "a new PIN is typed twice"
    assert phone.person.lock.tries_left == tries
    assert b"count low" not in live.pkcs11_tool("--list-slots", login=False).stdout


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", ["sign", "decrypt", "unwrap"])
def test_a_session_goes_on_after_silence(live: Live, person: Person, call: str) -> None:
    person.plan(NONE)
    assert twice(live, call) == ["CKR_FUNCTION_CANCELED", "OK"]
    assert len(person.words) == 2
    person.await_withdrawal()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", ["so_login", "set_pin"])
def test_a_pin_that_nobody_types_is_asked_for_again(live: Live, person: Person, call: str) -> None:
    """Then somebody gives up: a PIN is looked at for longer than this daemon waits when the machine is busy."""
    person.plan(NONE, NO)
    assert twice(live, call) == 2 * ["CKR_FUNCTION_CANCELED"]
    assert len(person.words) == 2
    person.await_withdrawal()


def twice(live: Live, call: str) -> list[str]:
    """The answers to a call that is tried again."""
    return live.run(sys.executable, str(PROGRAMS / "asked_twice.py"), call).stdout.decode().split()


@pytest.mark.usefixtures("impatient")
def test_pkcs11_tool_asks_once_where_nobody_answers(live: Live, person: Person) -> None:
    """Its second try is no second question, for which somebody would wait again."""
    person.plan(NONE)
    assert tool(live, *signing("ECDSA")) == f"error: PKCS11 function C_SignFinal failed: rv = {CANCELED}"
    assert len(person.words) == 1
    person.await_withdrawal()
    assert tool(live, *signing("ECDSA")) == ""
    assert len(person.words) == 2


@pytest.mark.usefixtures("impatient")
def test_a_locked_phone_that_nobody_unlocks(live: Live, phone: ScreenPhone, person: Person) -> None:
    live._await_logout()
    phone.do(phone.person.lock.lock)
    person.idle = True
    try:
        assert tool(live, *signing("ECDSA")) == f"error: PKCS11 function C_Login failed: rv = {CANCELED}"
        person.await_withdrawal()
    finally:
        person.idle = False
    assert tool(live, *signing("ECDSA")) == ""
    assert [words.partition(" ")[0] for words in person.words] == ["unlock", "sign"]


@pytest.mark.parametrize("answer", [NO, NONE])
def test_a_key_that_asks_for_a_pin_each_time(
    live: Live, person: Person, answer: Answer, request: pytest.FixtureRequest
) -> None:
    made = ("--key-type", "EC:prime256v1", "--id", "09", "--label", "each time", "--always-auth")
    sign = ("--sign", "--mechanism", "ECDSA", "--id", "09", "--input-file", "digest", "--output-file", "signature")
    live.pkcs11_tool("--keypairgen", *made)
    if answer is NONE:
        request.getfixturevalue("impatient")
    person.plan(answer)
    assert tool(live, *sign) == f"error: PKCS11 function C_Login failed: rv = {CANCELED}"
    assert tool(live, *sign) == ""
    assert [words.split(" for ")[0] for words in person.words] == 2 * ["type the PIN to use 'each time' once"]
    live.pkcs11_tool("--delete-object", "--type", "privkey", "--id", "09")
    live.pkcs11_tool("--delete-object", "--type", "pubkey", "--id", "09")
