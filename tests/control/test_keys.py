"""Key commands through the control socket: made, listed, shown, deleted; the PIN, the phone's answers, held logins."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

from control.api import Api
from control.fake_daemon import FakeDaemon
from control.fake_phone import PIN, FakePhone
from fob_daemon.control.errors import ExitCode
from fob_daemon.control.interface import DeviceState
from fob_daemon.p11_kit import find_client
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.flags import TokenFlag

NEW = {"device": "pixel", "type": "ec:p256", "label": "mail key", "id": "0aff", "pin": PIN.decode()}


async def made(api: Api, **changes: str | None) -> Any:
    status, body = await api.post("keys", NEW | changes)
    assert status == 200, body
    return body


async def refused(api: Api, **changes: str | None) -> tuple[int, Any]:
    status, body = await api.post("keys", NEW | changes)
    return status, body["error"]


async def test_a_new_key_stays_on_the_phone(api: Api, phone: FakePhone) -> None:
    key = await made(api)

    assert key == {
        "device": "pixel",
        "id": "0aff",
        "label": "mail key",
        "type": "ec:p256",
        "objects": ["public", "private"],
        "uri": "pkcs11:token=Ada's%20token;serial=FOB-0001;id=%0A%FF;object=mail%20key;type=private",
    }
    private = next(o for o in phone.objects.values() if o[Cka.CLASS] == Cko.PRIVATE_KEY)
    assert (private[Cka.SENSITIVE], private[Cka.EXTRACTABLE], private[Cka.TOKEN]) == (True, False, True)
    assert phone.applications == 0


@pytest.mark.parametrize(
    ("key_type", "kind", "bits"),
    [
        ("rsa:2048", rsa.RSAPublicKey, 2048),
        ("ec:p256", ec.EllipticCurvePublicKey, 256),
        ("ec:p384", ec.EllipticCurvePublicKey, 384),
        ("ec:p521", ec.EllipticCurvePublicKey, 521),
        ("ed25519", ed25519.Ed25519PublicKey, None),
    ],
)
async def test_every_kind_of_key_is_shown_for_other_programs(
    api: Api, phone: FakePhone, key_type: str, kind: type, bits: int | None
) -> None:
    await made(api, type=key_type)

    _, key = await api.get("keys/pixel/0aff")

    assert key["type"] == key_type
    from_pem, from_ssh = load_pem_public_key(key["pem"].encode()), load_ssh_public_key(key["ssh"].encode())
    assert isinstance(from_pem, kind)
    assert from_pem == from_ssh
    assert getattr(from_pem, "key_size", None) == bits
    assert key["ssh"].endswith(" mail key")


async def test_attributes_are_named_and_private_ones_need_the_login(api: Api, phone: FakePhone) -> None:
    await made(api)

    _, locked = await api.get("keys/pixel/0aff")
    await api.post("unlock", {"device": "pixel", "pin": PIN.decode()})
    _, unlocked = await api.get("keys/pixel/0aff")

    assert locked["objects"] == ["public"]
    assert locked["attributes"] == {
        "public": {
            "CKA_TOKEN": True,
            "CKA_PRIVATE": False,
            "CKA_VERIFY": True,
            "CKA_EC_PARAMS": "06082a8648ce3d030107",
        }
    }
    assert unlocked["objects"] == ["public", "private"]
    assert unlocked["attributes"]["private"]["CKA_SENSITIVE"] is True
    assert locked["pem"] == unlocked["pem"]


async def test_an_id_is_given_when_none_is_chosen_and_never_twice(api: Api, phone: FakePhone) -> None:
    assert (await made(api, id=None))["id"] == "00000001"
    await made(api, id="00000002")
    assert (await made(api, id=None))["id"] == "00000003"

    status, error = await refused(api, id="00000002")

    assert (status, error["exit_code"]) == (422, ExitCode.FAILED)
    assert error["why"] == "'pixel' has a key with the id 00000002"


async def test_keys_are_listed_by_label(api: Api, phone: FakePhone) -> None:
    await made(api, label="b", id="01")
    await made(api, label="a", id="02", type="ed25519")

    status, body = await api.get("keys?device=pixel")

    assert status == 200
    assert [(key["label"], key["id"], key["type"]) for key in body["keys"]] == [
        ("a", "02", "ed25519"),
        ("b", "01", "ec:p256"),
    ]
    assert (await api.get("keys"))[1] == body
    assert (await api.get("keys?device=nokia"))[0] == 404


async def test_a_deleted_key_is_gone_in_both_halves(api: Api, phone: FakePhone) -> None:
    await made(api)

    status, key = await api.delete("keys/pixel/0aff", {"pin": PIN.decode()})

    assert (status, key["label"]) == (200, "mail key")
    assert phone.objects == {}
    status, body = await api.delete("keys/pixel/0aff", {"pin": PIN.decode()})
    assert (status, body["error"]["what"]) == (404, "'pixel' shows no key with the id 0aff")


async def test_without_a_pin_pad_a_pin_is_asked_for(api: Api, phone: FakePhone) -> None:
    status, error = await refused(api, pin=None)

    assert (status, error["exit_code"]) == (428, ExitCode.USAGE)
    assert (error["what"], error["next"]) == ("'pixel' needs its PIN", "the same command with --pin-file FILE")
    assert (phone.logins, phone.applications) == ([], 0)


async def test_with_a_pin_pad_the_phone_asks_itself(api: Api, phone: FakePhone) -> None:
    phone.has_pin_pad = True

    await made(api, pin=None)

    assert phone.logins == [None]


@pytest.mark.parametrize(
    ("refusal", "status", "exit_code", "why"),
    [
        (Ckr.FUNCTION_REJECTED, 403, ExitCode.REJECTED, "the person said no on the phone (CKR_FUNCTION_REJECTED)"),
        (Ckr.FUNCTION_CANCELED, 504, ExitCode.TIMEOUT, "nobody answered on the phone in time (CKR_FUNCTION_CANCELED)"),
        (Ckr.DEVICE_REMOVED, 404, ExitCode.NO_DEVICE, "the device is away (CKR_DEVICE_REMOVED)"),
        (Ckr.PIN_INCORRECT, 422, ExitCode.FAILED, "the PIN is wrong (CKR_PIN_INCORRECT)"),
        (Ckr.HOST_MEMORY, 422, ExitCode.FAILED, "the device refused (CKR_HOST_MEMORY)"),
    ],
)
async def test_what_the_phone_answers_has_words_and_an_exit_code(
    api: Api, phone: FakePhone, refusal: Ckr, status: int, exit_code: ExitCode, why: str
) -> None:
    phone.refusal = refusal

    answer, error = await refused(api)

    assert (answer, error["exit_code"], error["why"]) == (status, exit_code, why)
    assert error["what"] == "the key was not made"
    assert phone.applications == 0


async def test_of_a_phone_that_is_away_the_link_knows_what_helps(
    api: Api, daemon: FakeDaemon, phone: FakePhone
) -> None:
    phone.refusal = Ckr.DEVICE_REMOVED
    assert (await refused(api))[1]["next"] == "fob status"

    daemon.change_device("pixel", DeviceState.REFUSED, "the bond is lost", "fob pair ble:C0:11:22:33:44:55")

    assert (await refused(api))[1]["next"] == "fob pair ble:C0:11:22:33:44:55"


async def test_a_wrong_pin_is_told_and_not_kept(api: Api, phone: FakePhone) -> None:
    status, body = await api.post("unlock", {"device": "pixel", "pin": "0000"})

    assert (status, body["error"]["what"]) == (422, "'pixel' was not unlocked")
    assert phone.applications == 0


@pytest.mark.parametrize(
    ("refusal", "flag", "why", "command"),
    [
        (Ckr.PIN_INCORRECT, TokenFlag.USER_PIN_COUNT_LOW, "the PIN is wrong", "the same command again"),
        (
            Ckr.PIN_INCORRECT,
            TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY,
            "the PIN is wrong, and the next wrong one locks it",
            "the same command again",
        ),
        (
            Ckr.PIN_INCORRECT,
            TokenFlag.USER_PIN_LOCKED,
            "the PIN is wrong, and now locked; the security officer's PIN sets a new one",
            "--login --login-type so --init-pin",
        ),
        (
            Ckr.PIN_LOCKED,
            TokenFlag.USER_PIN_LOCKED,
            "the PIN is locked after too many wrong ones; the security officer's PIN sets a new one",
            "--login --login-type so --init-pin",
        ),
    ],
)
async def test_after_a_wrong_pin_what_the_phone_tells_of_the_tries_is_told(
    api: Api, daemon: FakeDaemon, phone: FakePhone, refusal: Ckr, flag: TokenFlag, why: str, command: str
) -> None:
    phone.refusal = refusal
    daemon.devices["pixel"] = replace(daemon.devices["pixel"], token_flags=phone.flags | flag)

    _, error = await refused(api)

    assert error["why"] == f"{why} (CKR_{refusal.name})"
    assert error["next"].endswith(command)
    if "so" in command.split():
        begin = f"P11_KIT_SERVER_ADDRESS=unix:path={daemon.folder}/provider.sock pkcs11-tool --module {find_client()} "
        assert error["next"].startswith(begin + "--token-label 'Ada'\"'\"'s token' ")


async def test_unlocked_means_no_pin_until_locked(api: Api, phone: FakePhone) -> None:
    assert await api.post("unlock", {"device": "pixel", "pin": PIN.decode()}) == (200, {"device": "pixel"})
    await made(api, pin=None)
    await api.delete("keys/pixel/0aff")
    assert (phone.logins, phone.applications) == ([PIN], 1)

    status, body = await api.post("unlock", {"device": "pixel", "pin": PIN.decode()})
    assert (status, body["error"]["exit_code"]) == (409, ExitCode.NOTHING_TO_DO)

    assert await api.post("lock", {}) == (200, {"locked": ["pixel"]})
    assert phone.applications == 0
    assert (await refused(api, pin=None))[0] == 428
    status, body = await api.post("lock", {"device": "pixel"})
    assert (status, body["error"]["why"]) == (409, "nothing is unlocked")


async def test_a_login_that_ended_while_the_power_was_cut_is_given_anew(api: Api, phone: FakePhone) -> None:
    pin = {"device": "pixel", "pin": PIN.decode()}
    await api.post("unlock", pin)
    phone.was_cut = True
    assert ((await api.post("unlock", pin))[0], phone.resumed) == (409, 1), "its ticket is good"
    phone.was_cut, phone.tickets_are_good = True, False
    assert await api.post("unlock", pin) == (200, {"device": "pixel"})
    assert (phone.logins, phone.applications) == ([PIN, PIN], 1)
    phone.was_cut = True
    assert (await refused(api, pin=None))[0] == 428
    assert (await made(api))["label"] == "mail key"


async def test_the_ssh_agent_is_unlocked_and_locked_with_it(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    await api.post("unlock", {"device": "pixel", "pin": PIN.decode()})
    assert (daemon.agent_logged_in, phone.logins) == (True, [PIN])

    # ssh-add -e fob
    await daemon.lock_agent(1)
    assert await api.post("unlock", {"device": "pixel"}) == (200, {"device": "pixel"})
    assert (daemon.agent_logged_in, phone.logins) == (True, [PIN])

    assert await api.post("lock", {}) == (200, {"locked": ["pixel"]})
    assert (daemon.agent_logged_in, phone.applications) == (False, 0)


async def test_a_login_that_only_the_ssh_agent_holds_is_locked_too(
    api: Api, daemon: FakeDaemon, phone: FakePhone
) -> None:
    await daemon.unlock_agent(1)

    assert await api.post("lock", {"device": "pixel"}) == (200, {"locked": ["pixel"]})
    assert not daemon.agent_logged_in


async def test_a_wrong_pin_unlocks_nothing(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    assert (await api.post("unlock", {"device": "pixel", "pin": "0000"}))[0] == 422
    assert not daemon.agent_logged_in


async def test_unpairing_lets_the_login_go(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    await api.post("unlock", {"device": "pixel", "pin": PIN.decode()})

    await api.delete("devices/pixel")

    assert phone.applications == 0


async def test_the_engine_hears_who_asks(api: Api, daemon: FakeDaemon, phone: FakePhone) -> None:
    await api.get("keys")

    assert [peer.program.startswith("python") for peer in daemon.peers] == [True]


async def test_what_is_no_public_key_is_listed_and_not_translated(api: Api, phone: FakePhone) -> None:
    phone.add({Cka.CLASS: Cko.PUBLIC_KEY, Cka.PRIVATE: False, Cka.ID: b"\x09", Cka.LABEL: b"odd\xff\x1b"})

    _, body = await api.get("keys")
    _, key = await api.get("keys/pixel/09")

    assert [(key["type"], key["label"]) for key in body["keys"]] == [("unknown", "odd\ufffd\x1b")]
    assert (key["pem"], key["ssh"]) == (None, None)


async def test_a_comment_cannot_add_a_line_to_an_authorized_keys_file(api: Api, phone: FakePhone) -> None:
    await made(api)
    for attributes in phone.objects.values():
        attributes[Cka.LABEL] = b"mail\nssh-rsa AAAA evil"

    _, key = await api.get("keys/pixel/0aff")

    algorithm, blob, comment = key["ssh"].split(" ", 2)
    assert (algorithm, comment) == ("ecdsa-sha2-nistp256", "mail?ssh-rsa AAAA evil")
    assert base64.b64decode(blob, validate=True)
