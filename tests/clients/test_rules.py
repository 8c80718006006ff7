"""The rules of PKCS#11 as a C program sees them, side by side with SoftHSM 2: the same answers, or a reason."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from clients.conversation import PROGRAMS
from support.live import Live
from support.required import SOFTHSM, library

Answers = dict[str, list[str]]
PIN: Final = "123456"
LABEL: Final = "rules"
# What stands in the program's path: `clients` and `support`.
TESTS: Final = str(Path(__file__).parents[1])

SAME: Final = (
    "buffers_of_a_signature",
    "buffers_of_a_signature_in_parts",
    "parts_after_a_length",
    "buffers_of_a_digest",
    "buffers_of_a_block_cipher",
    "nothing_begun",
    "begun_twice",
    "a_failure_ends_it",
    "a_wrong_signature_ends_it",
    "nothing_signed_in_parts",
    "a_single_call_after_parts",
    "a_session_closes_in_an_operation",
    "logins",
    "a_login_for_a_key_that_asks_for_none",
    "a_key_that_asks_for_a_login_each_time",
    "wrong_mechanisms",
    "wrapping",
    "attributes_one_by_one",
    "attributes_in_buffers_of_every_size",
    "sensitive_lengths",
    "searches",
    "searches_for_nothing",
    "changes",
    "changes_of_a_key",
    "copies",
    "wrong_templates",
    "session_objects_end",
    "random_numbers",
    "digests_of_keys",
)


@dataclass(frozen=True, slots=True)
class Other:
    """A rule that SoftHSM takes another way."""

    fob: str
    softhsm: str
    why: str


OTHERWISE: Final = {
    "buffers_of_a_decryption": Other(
        "OK, BUFFER_TOO_SMALL 5, OK 5, OPERATION_NOT_INITIALIZED",
        "OK, BUFFER_TOO_SMALL 256, OK 5, OPERATION_NOT_INITIALIZED",
        "a buffer for the plaintext is enough: what the phone decrypted is kept for the next call",
    ),
    "a_mechanism_in_parts_that_does_not_hash": Other(
        "OK, OK 256",
        "OPERATION_NOT_INITIALIZED, OPERATION_NOT_INITIALIZED",
        "data that comes in parts is collected",
    ),
    "two_operations_at_once": Other(
        "OK, OK", "OK, OPERATION_ACTIVE", "a session has a place for one operation of each kind"
    ),
    "keys_that_are_none": Other(
        "KEY_HANDLE_INVALID, KEY_HANDLE_INVALID",
        "OBJECT_HANDLE_INVALID, OBJECT_HANDLE_INVALID",
        "the standard has this value for C_SignInit",
    ),
    "pss_by_the_digest": Other(
        "OK, OK, OK, OK, DATA_LEN_RANGE, not signed, DATA_LEN_RANGE, not signed",
        "OK, OK, OK, OK, GENERAL_ERROR, not signed, OPERATION_NOT_INITIALIZED, not signed",
        "the error says what is wrong",
    ),
    "pss_parameters": Other(
        "False, False, False, False", "False, False, True, False", "a salt that no signature has room for is refused"
    ),
    "oaep": Other(
        "OK, hello, OK, hello, OK, hello", "OK, hello, ARGUMENTS_BAD, , ARGUMENTS_BAD, ", "any hash, and a label"
    ),
    "wrong_paddings": Other("OK", "GENERAL_ERROR", "a wrong padding gives other octets, and nobody learns of it"),
    "a_seed": Other("RANDOM_SEED_NOT_SUPPORTED", "OK", "the phone's generator takes nothing from the PC"),
    "a_private_key_after_the_logout": Other(
        "USER_NOT_LOGGED_IN, OK, OK",
        "OBJECT_HANDLE_INVALID, OK, OBJECT_HANDLE_INVALID",
        "the handle waits for the next login: whoever lost it, by a lock or a new phone session, goes on with it",
    ),
    "a_logout_in_an_operation": Other(
        "OK, OPERATION_NOT_INITIALIZED, OPERATION_NOT_INITIALIZED, OK",
        "OK, OK 256, OPERATION_NOT_INITIALIZED, OK",
        "nothing is signed for a program that logged out",
    ),
    "two_logouts": Other("OK, USER_NOT_LOGGED_IN, OK", "OK, OK, OK", "the standard has this value for C_Logout"),
}


@pytest.fixture(scope="module")
def fob(shared_phone: Live) -> Answers:
    said = shared_phone.run(sys.executable, str(PROGRAMS / "cryptoki_rules.py"), PYTHONPATH=TESTS)
    answers: Answers = json.loads(said.stdout)
    return answers


@pytest.fixture(scope="module")
def softhsm(shared_phone: Live, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("softhsm")
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}\n")
    token = ("--label", LABEL, "--pin", PIN, "--so-pin", PIN)
    shared_phone.run("softhsm2-util", "--init-token", "--free", *token, SOFTHSM2_CONF=str(configuration))
    said = shared_phone.run(
        sys.executable,
        str(PROGRAMS / "cryptoki_rules.py"),
        SOFTHSM2_CONF=str(configuration),
        PKCS11_MODULE=str(library(SOFTHSM)),
        PKCS11_TOKEN_LABEL=LABEL,
        PKCS11_PIN=PIN,
        PYTHONPATH=TESTS,
    )
    answers: Answers = json.loads(said.stdout)
    return answers


def test_every_rule_is_looked_at(fob: Answers) -> None:
    assert sorted(fob) == sorted((*SAME, *OTHERWISE))


@pytest.mark.parametrize("rule", SAME)
def test_the_answers_are_softhsms(fob: Answers, softhsm: Answers, rule: str) -> None:
    assert fob[rule] == softhsm[rule]


@pytest.mark.parametrize("rule", OTHERWISE)
def test_the_answer_is_another_for_a_reason(fob: Answers, softhsm: Answers, rule: str) -> None:
    other = OTHERWISE[rule]
    assert (", ".join(fob[rule]), ", ".join(softhsm[rule])) == (other.fob, other.softhsm), other.why
