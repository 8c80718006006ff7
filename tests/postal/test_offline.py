"""Away from the data centre: tokens that are signatures, verified with public keys alone (M15, M16)."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from structlog.testing import capture_logs

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.meter import Certify
from fob_office.centre.operating.keys import export_keys
from fob_office.centre.postal.offline import Stranger
from fob_office.centre.postal.verifying import OnPiece, Outcome
from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.frame import frame_text
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.limits import BATCH_LIMIT, TOKEN_LIMIT
from fob_protocol.metering.parts import END, part
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.verification import (
    KEYS_LIMIT,
    PART_LIMIT,
    KeysHead,
    PublicKeys,
    VerificationCertificate,
    read_keys,
)
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import read
from support.centre_boxes import NOW
from support.mailers import Mailer
from support.octets import flipped
from support.post import ADDRESS, PostOffice, picture, post_office, rows

YEAR = 366 * 86_400
TOP = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BOX = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
MANUFACTURING = TOP.public_key().public_bytes_raw()
CERTIFICATE = VerificationCertificate("FM01000000014", "eur-cent", 1, bytes(32), "meter-1", NOW)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    with capture_logs():
        async with post_office(tmp_path / "o", is_public=True) as made:
            yield made


async def exported(office: PostOffice) -> PublicKeys:
    file = BytesIO()
    assert await export_keys(office.operator, file) == 1
    file.seek(0)
    return read_keys(file, office.centre.now, office.operator.manufacturing)


@pytest.mark.clause("M15", "M16")
async def test_a_stranger_verifies_with_a_file_of_public_keys(
    office: PostOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = await office.franked(95)
    assert len(shown.token) == TOKEN_LIMIT
    file, image = tmp_path / "keys", tmp_path / "letter.png"
    image.write_bytes(picture(shown))
    assert await office.export(file) == 0
    key = office.operator.manufacturing.hex()
    assert capsys.readouterr().err.splitlines()[0] == "wrote 1 keys"
    # Nothing of the data centre is there any more.
    await office.centre.close()
    offline = ("--offline", "--keys", str(file), "--json", "--address")
    assert await office.told(str(image), *offline, ADDRESS, "--key", key) == 0
    assert (await office.told(str(image), *offline, "Onkel Paul", "--key", key)) == 1
    printed = capsys.readouterr()
    assert ('"genuine"' in printed.out, '"copied"' in printed.out, printed.err) == (True, True, "")
    assert await office.told(str(image), *offline, ADDRESS, "--key", "00" * 32) == 2
    assert "the keys are of another data centre" in capsys.readouterr().err
    assert await office.told(str(image), *offline, ADDRESS) == 0
    printed = capsys.readouterr()
    assert printed.err == f"warning: nobody but the file says whose keys these are: --key {key}\n"
    assert '"genuine"' in printed.out


@pytest.mark.clause("M16")
async def test_the_data_centre_verifies_them_too(office: PostOffice) -> None:
    shown, other, third = await office.franked(95, 60, 70)
    assert (await office.judged(shown, address=ADDRESS)).outcome is Outcome.GENUINE
    assert (await office.judged(shown)).outcome is Outcome.REUSED
    assert (await office.judged(replace(shown, token=other.token))).outcome is Outcome.FORGED
    await office.mailer.refund(unused=third)
    assert (await office.judged(third)).outcome is Outcome.REFUNDED
    assert len(await office.franked(*[1] * BATCH_LIMIT)) == BATCH_LIMIT
    assert len(await office.mailer.history()) == 5


@pytest.mark.clause("M16", "M26")
async def test_what_a_stranger_finds(office: PostOffice) -> None:
    shown, second = await office.franked(95, 60)
    stranger = Stranger(await exported(office))
    dearer = replace(read(Indicium, shown.indicium), amount=9_500).octets()
    unknown = replace(read(Indicium, shown.indicium), serial="FM99000000017").octets()
    for wrong, outcome in (
        (replace(shown, indicium=dearer), Outcome.FORGED),
        (replace(shown, token=second.token), Outcome.FORGED),
        (replace(shown, token=shown.token[:16]), Outcome.FORGED),
        (replace(shown, indicium=unknown), Outcome.UNKNOWN_METER),
    ):
        assert (await stranger.verify(wrong, OnPiece())).outcome is outcome
    assert (await stranger.verify(shown, OnPiece(amount=950))).outcome is Outcome.ALTERED
    verdict = await stranger.verify(shown, OnPiece(address=ADDRESS))
    assert (verdict.outcome, "not known here" in verdict.why) == (Outcome.GENUINE, True)
    assert (await stranger.verify(shown, OnPiece())).outcome is Outcome.REUSED


@pytest.mark.clause("M16", "M26")
async def test_every_turned_bit_of_a_signed_piece_is_refused(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    stranger = Stranger(await exported(office))
    octets, size = shown.indicium + shown.token, len(shown.indicium)
    judged = 0
    for bit in range(8 * len(octets)):
        turned = bytearray(octets)
        turned[bit // 8] ^= 1 << bit % 8
        try:
            read(Indicium, bytes(turned[:size]))
        except OfficeError:
            continue
        verdict = await stranger.verify(Indicated(bytes(turned[:size]), bytes(turned[size:])), OnPiece())
        assert verdict.outcome in (Outcome.FORGED, Outcome.UNKNOWN_METER)
        judged += 1
    assert judged > 8 * TOKEN_LIMIT


@pytest.mark.clause("M16")
async def test_codes_have_no_public_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with capture_logs():
        async with post_office(tmp_path / "o") as office:
            (shown,) = await office.franked(95)
            (record,) = [row[0] for row in office.centre.rows("SELECT record FROM meters")]
            with pytest.raises(BusRefusedError, match="no-public-key"):
                await office.centre.ask("meter-2", Certify(record))
            file = tmp_path / "keys"
            assert await office.export(file) == 0
            assert await office.export(file) == 1
            capsys.readouterr()
            offline = ("--offline", "--keys", str(file), "--json")
            assert await office.told("--text", frame_text(shown), *offline) == 1
            assert [row["outcome"] for row in rows(capsys)] == ["unknown-meter"]


async def test_one_mailer_s_key_is_not_another_s(office: PostOffice) -> None:
    other = Mailer(office.centre, office.mailer.server, "bertha")
    await other.sign_up()
    await other.load(1_000)
    (theirs,) = (await other.frank(95)).indicia
    file = BytesIO()
    assert await export_keys(office.operator, file) == 2
    file.seek(0)
    stranger = Stranger(read_keys(file, office.centre.now))
    assert (await stranger.verify(theirs, OnPiece())).outcome is Outcome.GENUINE
    taken = replace(read(Indicium, theirs.indicium), serial=office.mailer.serial).octets()
    assert (await stranger.verify(replace(theirs, indicium=taken), OnPiece())).outcome is Outcome.FORGED


def a_pass(kind: Kind = Kind.METER, not_after: int = NOW + YEAR, name: str = "meter-1") -> bytes:
    """As the manufacturing box signs it."""
    return Pass(kind, name, bytes(32), bytes(32), BOX.public_key().public_bytes_raw(), 1, not_after).signed(TOP)


def a_file(*parts: bytes, shown: bytes | None = None) -> BytesIO:
    """With one pass."""
    head = KeysHead(MANUFACTURING, (a_pass() if shown is None else shown,)).octets()
    return BytesIO(b"".join(map(part, (head, *parts))) + END)


@pytest.mark.clause("M15")
def test_a_file_of_keys() -> None:
    found = read_keys(a_file(CERTIFICATE.signed(BOX)), NOW, MANUFACTURING)
    assert found == PublicKeys(MANUFACTURING, {"FM01000000014": ("eur-cent", 1, bytes(32))})


@pytest.mark.clause("M15")
@pytest.mark.parametrize(
    ("file", "fault", "why"),
    [
        (a_file(CERTIFICATE.signed(TOP)), Fault.WRONG_SIGNATURE, "no verification certificate"),
        (a_file(replace(CERTIFICATE, box="meter-2").signed(BOX)), Fault.WRONG_SIGNATURE, "meter-2 is no meter box"),
        (
            a_file(CERTIFICATE.signed(BOX), shown=a_pass(Kind.TRANSACTION)),
            Fault.WRONG_SIGNATURE, "meter-1 is no meter box",
        ),
        (
            a_file(CERTIFICATE.signed(BOX), shown=a_pass(not_after=NOW - 1)),
            Fault.WRONG_SIGNATURE, "a pass that is not over",
        ),
        (
            a_file(sign1.sign(BOX, Label.CHECKPOINT, [], CERTIFICATE.octets())),
            Fault.WRONG_SIGNATURE, "no verification certificate",
        ),
        (a_file(b"\xa0"), Fault.WRONG_SIGNATURE, "no verification certificate"),
        (a_file(shown=flipped(a_pass())), Fault.WRONG_SIGNATURE, "no pass of this data centre"),
        (BytesIO(a_file(CERTIFICATE.signed(BOX)).getvalue()[:-1]), Fault.MALFORMED, "cut short"),
        (BytesIO(a_file(CERTIFICATE.signed(BOX)).getvalue()[:-4]), Fault.MALFORMED, "cut short"),
        (BytesIO(b""), Fault.MALFORMED, "cut short"),
        (BytesIO((PART_LIMIT + 1).to_bytes(4)), Fault.TOO_LARGE, "a part of"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_good(file: BytesIO, fault: Fault, why: str) -> None:
    file.seek(0)
    with pytest.raises(OfficeError, match=why) as raised:
        read_keys(file, NOW, MANUFACTURING)
    assert raised.value.fault is fault


def test_every_turned_bit_of_a_certificate_is_refused() -> None:
    signed = CERTIFICATE.signed(BOX)
    for bit in range(8 * len(signed)):
        turned = bytearray(signed)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(OfficeError):
            read_keys(a_file(bytes(turned)), NOW, MANUFACTURING)


def test_keys_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEYS_LIMIT > 5_000_000
    monkeypatch.setattr("fob_protocol.metering.verification.KEYS_LIMIT", 1)
    certificates = [replace(CERTIFICATE, serial=serial).signed(BOX) for serial in ("FM01000000014", "FM-2")]
    with pytest.raises(OfficeError, match="more than 1 keys"):
        read_keys(a_file(*certificates), NOW, MANUFACTURING)
