"""What the phone shows of itself: computers, grants, keys and certificates, for whoever draws it."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key, load_ssh_public_key

from fob_device.overview.computers import computers, grants
from fob_device.overview.objects import certificates, keys
from fob_device.settings import Ask, KeySetting
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import computer_id
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckc, Cko, Cku
from support.screen_world import ScreenWorld, at_screen
from support.token_bench import EC_PAIR, ED25519, EDWARDS_PAIR, P384, RSA_PAIR, refused
from support.world import NOW, USER_PIN

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")


def test_a_computer_is_shown_with_its_line_while_it_is_connected(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        (computer,) = computers(world.phone)
        assert (computer.name, computer.paired_at, computer.is_connected) == ("me@pc", NOW, True)
        assert base64.b64decode(computer.fingerprint + "==") == computer_id(world.pc_key)
        changes: list[bool] = []
        world.phone.on_change.add(lambda: changes.append(computers(world.phone)[0].is_connected))
        await world.disconnect()
        await asyncio.sleep(1)
        assert changes == [False]

    at_screen(tmp_path, story)


def test_grants_of_all_computers_are_shown_and_ended(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        for host in ("github.com", "gitlab.com"):
            answer = world.begin_to_sign(key, 1, replace(SSH, host=host))
            await world.tap(remember=300)
            await answer
        shown = grants(world.phone)
        assert [grant.words for grant in shown] == [
            f"log in to {host} with 'work' for ssh <- zsh on me@pc" for host in ("github.com", "gitlab.com")
        ]
        assert {(grant.pc_key, grant.pc_name) for grant in shown} == {(world.pc_key, "me@pc")}
        assert [grant.seconds_left for grant in shown] == [300, 300]
        told: list[int] = []
        world.phone.on_change.add(lambda: told.append(len(grants(world.phone))))
        assert world.phone.revoke(world.pc_key, shown[0].number)
        assert told[-1] == 1
        assert not world.phone.revoke(world.pc_key, shown[0].number)
        assert not world.phone.revoke(bytes(32), shown[1].number)
        assert grants(world.phone) == shown[1:]

    at_screen(tmp_path, story)


def test_every_kind_of_key_is_shown_with_its_public_half_and_its_setting(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        session = world.phone.token.open_session()
        session.login(Cku.USER, USER_PIN)
        made: Attributes = {Cka.TOKEN: True, Cka.LABEL: b"\x1b[2Jkey"}
        session.generate_key_pair(RSA_PAIR, {Cka.TOKEN: True, Cka.MODULUS_BITS: 2048}, made | {Cka.DECRYPT: True})
        session.generate_key_pair(EC_PAIR, {Cka.TOKEN: True, Cka.EC_PARAMS: P384}, made | {Cka.DERIVE: True})
        session.generate_key_pair(
            EDWARDS_PAIR, {Cka.TOKEN: True, Cka.EC_PARAMS: ED25519}, made | {Cka.ALWAYS_AUTHENTICATE: True}
        )
        session.close()
        shown = keys(world.phone)
        assert [key.type for key in shown] == ["RSA 2048", "P-384", "Ed25519"]
        assert {key.label for key in shown} == {"\N{REPLACEMENT CHARACTER}[2Jkey"}
        assert [key.asks_pin_always for key in shown] == [False, False, True]
        assert ["decrypt" in key.uses for key in shown] == [True, False, False]
        for key in shown:
            assert load_pem_public_key(key.public_key.encode()) == load_ssh_public_key(key.ssh.encode())
        world.phone.set_key_setting(shown[1].handle, KeySetting(Ask.ONCE, 900))
        assert [key.setting for key in keys(world.phone)] == [KeySetting(), KeySetting(Ask.ONCE, 900), KeySetting()]

    at_screen(tmp_path, story)


def test_only_a_private_key_of_the_phone_has_a_setting(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        private = await world.new_key()
        for handle in (0, private - 1, private + 1, 1 << 40, 1 << 64):
            with refused(Ckr.OBJECT_HANDLE_INVALID):
                world.phone.set_key_setting(handle, KeySetting(Ask.NEVER))

    at_screen(tmp_path, story)


def test_a_certificate_is_shown_by_what_it_says_and_a_broken_one_by_its_label(
    tmp_path: Path, certificate: bytes
) -> None:
    async def story(world: ScreenWorld) -> None:
        session = world.phone.token.open_session()
        session.login(Cku.USER, USER_PIN)
        template: Attributes = {Cka.CLASS: Cko.CERTIFICATE, Cka.CERTIFICATE_TYPE: Ckc.X_509, Cka.TOKEN: True}
        session.create_object(template | {Cka.LABEL: b"mine", Cka.VALUE: certificate})
        session.create_object(template | {Cka.LABEL: b"hidden", Cka.VALUE: certificate, Cka.PRIVATE: True})
        session.close()
        mine, hidden = certificates(world.phone)
        assert (mine.label, mine.subject, mine.issuer) == ("mine", "CN=me", "CN=me")
        assert (mine.fingerprint, mine.pem.splitlines()[0]) == (
            hashlib.sha256(certificate).hexdigest(),
            "-----BEGIN CERTIFICATE-----",
        )
        assert mine.not_before is not None
        assert mine.not_after is not None
        assert mine.not_before < mine.not_after
        assert (hidden.label, hidden.subject, hidden.pem) == ("hidden", "", "")

    at_screen(tmp_path, story)


@pytest.fixture(scope="module")
def certificate() -> bytes:
    """Of itself, in DER."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=me")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=365))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
