"""What a module makes of the rules of PKCS#11 v2.40: a JSON object with the answers of the calls of each rule.

A call that has output answers with its return value and the length that it wrote down. The module, the token's label
and the PIN come from the environment.
"""

import json
import os
from collections.abc import Callable
from ctypes import Structure, c_ulong, c_void_p
from typing import Any, Final

from clients.programs.c_api import RO, RW, Module, Template, labelled
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.constants import Ckg, Ckk, Cko, Cku

P256: Final = bytes.fromhex("06082a8648ce3d030107")
LABEL: Final = b"rules"
NOBODY: Final = 99_999
VENDOR: Final = 0x8000_0000
RSA_SIZE: Final = 256

Answers = list[str]


class Pss(Structure):
    """CK_RSA_PKCS_PSS_PARAMS."""

    _fields_ = (("hash", c_ulong), ("mgf", c_ulong), ("salt", c_ulong))


class Oaep(Structure):
    """CK_RSA_PKCS_OAEP_PARAMS."""

    _fields_ = (("hash", c_ulong), ("mgf", c_ulong), ("source", c_ulong), ("label", c_void_p), ("length", c_ulong))


class Rules:
    """Each public method is a rule; it has the token's keys and a session for itself."""

    def __init__(self, module: Module, slot: int, pin: bytes) -> None:
        self._module, self._slot, self._pin = module, slot, pin
        self._call, self._mechanism = module.call, module.mechanism
        self._rsa_signs = module.mechanism(Ckm.SHA256_RSA_PKCS)
        self._rsa = module.mechanism(Ckm.RSA_PKCS)
        self._ecdsa = module.mechanism(Ckm.ECDSA)
        self._sha256 = module.mechanism(Ckm.SHA256)
        self.session = 0

    def set_up(self) -> None:
        """Log in and make the keys."""
        _, self.session = self._module.made("OpenSession", self._slot, RW, None, None)
        self._login(self.session)
        rsa: Template = {Cka.MODULUS_BITS: 2048, Cka.PUBLIC_EXPONENT: b"\1\0\1"}
        uses: Template = {Cka.SIGN: True, Cka.DECRYPT: True, Cka.UNWRAP: True}
        self.public, self.private = self._pair(
            Ckm.RSA_PKCS_KEY_PAIR_GEN, {**rsa, Cka.VERIFY: True, Cka.ENCRYPT: True, Cka.WRAP: True}, uses
        )
        self.ec_public, self.ec = self._pair(Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, {Cka.SIGN: True})
        guard: Template = {Cka.SIGN: True, Cka.ALWAYS_AUTHENTICATE: True}
        _, self.guarded = self._pair(Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, guard)

    def tear_down(self) -> None:
        """Delete what is left."""
        for handle in self._module.find(self.session, {Cka.LABEL: LABEL, Cka.TOKEN: True}):
            self._call("DestroyObject", self.session, handle)

    def run(self, rule: "Callable[[Rules, int], Answers]") -> Answers:
        """The answers of one rule."""
        with self._module.session(self._slot) as session:
            return rule(self, session)

    # Output.

    def buffers_of_a_signature(self, session: int) -> Answers:
        data = (session, b"abc", 3)
        init = self._call("SignInit", session, self._rsa_signs, self.private)
        rooms = (None, 10, 0, RSA_SIZE - 1, RSA_SIZE, RSA_SIZE)
        return [init, *(self._output("Sign", *data, room=room) for room in rooms)]

    def buffers_of_a_signature_in_parts(self, session: int) -> Answers:
        init = self._call("SignInit", session, self._rsa_signs, self.private)
        update = self._call("SignUpdate", session, b"abc", 3)
        rooms = (None, 10, RSA_SIZE, RSA_SIZE)
        return [init, update, *(self._output("SignFinal", session, room=room) for room in rooms)]

    def parts_after_a_length(self, session: int) -> Answers:
        self._call("DigestInit", session, self._sha256)
        return [
            self._call("DigestUpdate", session, b"abc", 3),
            self._output("DigestFinal", session),
            self._call("DigestUpdate", session, b"def", 3),
            self._module.output("DigestFinal", session, room=32)[2].hex(),
        ]

    def buffers_of_a_digest(self, session: int) -> Answers:
        init = self._call("DigestInit", session, self._sha256)
        rooms = (None, 31, 99, 99)
        return [init, *(self._output("Digest", session, b"abc", 3, room=room) for room in rooms)]

    def buffers_of_a_decryption(self, session: int) -> Answers:
        ciphertext = self._encrypted(session, b"hello")
        init = self._call("DecryptInit", session, self._rsa, self.private)
        rooms = (3, RSA_SIZE, RSA_SIZE)
        return [init, *(self._output("Decrypt", session, ciphertext, RSA_SIZE, room=room) for room in rooms)]

    def buffers_of_a_block_cipher(self, session: int) -> Answers:
        self._call("EncryptInit", session, self._mechanism(Ckm.AES_ECB), self._aes(session))
        update = (session, b"x" * 20, 20)
        return [
            *(self._output("EncryptUpdate", *update, room=room) for room in (None, 3, 64)),
            self._output("EncryptUpdate", session, b"x" * 12, 12, room=64),
            self._output("EncryptFinal", session, room=64),
            self._output("EncryptFinal", session, room=64),
        ]

    # The state of operations.

    def nothing_begun(self, session: int) -> Answers:
        return [
            self._output("Sign", session, b"x", 1, room=RSA_SIZE),
            self._call("SignUpdate", session, b"x", 1),
            self._call("Verify", session, b"x", 1, b"x", 1),
            self._output("Digest", session, b"x", 1, room=32),
            self._output("Encrypt", session, b"x", 1, room=32),
            self._call("FindObjects", session, c_ulong(), 1, c_ulong()),
            self._call("FindObjectsFinal", session),
        ]

    def begun_twice(self, session: int) -> Answers:
        return [
            *(self._call("SignInit", session, self._rsa_signs, self.private) for _ in range(2)),
            *(self._call("FindObjectsInit", self.session, None, 0) for _ in range(2)),
            self._call("FindObjectsFinal", self.session),
        ]

    def a_failure_ends_it(self, session: int) -> Answers:
        self._call("SignInit", session, self._rsa, self.private)
        too_much = self._output("Sign", session, b"x" * 246, 246, room=RSA_SIZE)
        return [str(too_much[:2] == "OK"), self._output("Sign", session, b"x", 1, room=RSA_SIZE)]

    def a_wrong_signature_ends_it(self, session: int) -> Answers:
        answers = []
        for length in (RSA_SIZE, RSA_SIZE - 1, 0):
            self._call("VerifyInit", session, self._rsa_signs, self.public)
            answers += [self._call("Verify", session, b"abc", 3, bytes(length), length) for _ in range(2)]
        return answers

    def nothing_signed_in_parts(self, session: int) -> Answers:
        self._call("SignInit", session, self._rsa_signs, self.private)
        _, length, signature = self._module.output("SignFinal", session, room=RSA_SIZE)
        self._call("VerifyInit", session, self._rsa_signs, self.public)
        return [str(length), self._call("Verify", session, b"", 0, signature, length)]

    def a_single_call_after_parts(self, session: int) -> Answers:
        self._call("SignInit", session, self._rsa_signs, self.private)
        self._call("SignUpdate", session, b"ab", 2)
        return [self._output("Sign", session, b"c", 1, room=RSA_SIZE), self._call("SignUpdate", session, b"c", 1)]

    def a_mechanism_in_parts_that_does_not_hash(self, session: int) -> Answers:
        self._call("SignInit", session, self._rsa, self.private)
        return [self._call("SignUpdate", session, b"ab", 2), self._output("SignFinal", session, room=RSA_SIZE)]

    def two_operations_at_once(self, session: int) -> Answers:
        return [
            self._call("SignInit", session, self._rsa_signs, self.private),
            self._call("DigestInit", session, self._sha256),
        ]

    def a_session_closes_in_an_operation(self, session: int) -> Answers:
        _, other = self._module.made("OpenSession", self._slot, RO, None, None)
        return [
            self._call("SignInit", other, self._rsa_signs, self.private),
            self._call("CloseSession", other),
            self._output("Sign", other, b"x", 1, room=RSA_SIZE),
            self._call("CloseSession", other),
        ]

    # Logins.

    def logins(self, session: int) -> Answers:
        return [
            self._login(session),
            self._login(session, Cku.SO),
            self._login(session, 7),
            self._login(session, Cku.CONTEXT_SPECIFIC),
        ]

    def a_login_for_a_key_that_asks_for_none(self, session: int) -> Answers:
        self._call("SignInit", session, self._ecdsa, self.ec)
        return [self._login(session, Cku.CONTEXT_SPECIFIC), self._output("Sign", session, bytes(32), 32, room=64)]

    def a_key_that_asks_for_a_login_each_time(self, session: int) -> Answers:
        answers = []
        for logs_in in (False, True, False):
            answers.append(self._call("SignInit", session, self._ecdsa, self.guarded))
            answers += [self._login(session, Cku.CONTEXT_SPECIFIC)] if logs_in else []
            answers += [self._output("Sign", session, b"x" * 32, 32, room=64).split()[0] for _ in range(2)]
        return answers

    # Mechanisms and keys.

    def wrong_mechanisms(self, session: int) -> Answers:
        kinds = (VENDOR, 0x7777, Ckm.SHA256)
        return [self._call("SignInit", session, self._mechanism(kind), self.private) for kind in kinds]

    def keys_that_are_none(self, session: int) -> Answers:
        return [self._call("SignInit", session, self._rsa_signs, handle) for handle in (0, NOBODY)]

    def pss_by_the_digest(self, session: int) -> Answers:
        """The right length and two wrong ones; no salt."""
        answers = []
        for length, salt in ((32, 32), (32, 0), (31, 32), (33, 32)):
            mechanism = self._mechanism(Ckm.RSA_PKCS_PSS, Pss(int(Ckm.SHA256), int(Ckg.MGF1_SHA256), salt))
            data = (session, b"d" * length, length)
            self._call("SignInit", session, mechanism, self.private)
            answer, size, signature = self._module.output("Sign", *data, room=RSA_SIZE)
            self._call("VerifyInit", session, mechanism, self.public)
            verified = self._call("Verify", *data, signature, size) if answer == "OK" else "not signed"
            answers += [answer, verified]
        return answers

    def pss_parameters(self, session: int) -> Answers:
        """A hash that is none, a mask function that is none, a salt that is too long, none at all."""
        sha256, mgf = int(Ckm.SHA256), int(Ckg.MGF1_SHA256)
        wrong = (Pss(int(Ckm.RSA_PKCS), mgf, 32), Pss(sha256, 99, 32), Pss(sha256, mgf, 223), None)
        mechanisms = [self._mechanism(Ckm.RSA_PKCS_PSS, parameter) for parameter in wrong]
        return [str(self._call("SignInit", session, one, self.private) == "OK") for one in mechanisms]

    def oaep(self, session: int) -> Answers:
        """With SHA-1; with SHA-256; with a label."""
        label = self._module.pointer(b"label")
        sha1, sha256 = (int(Ckm.SHA_1), int(Ckg.MGF1_SHA1), 1), (int(Ckm.SHA256), int(Ckg.MGF1_SHA256), 1)
        answers = []
        for parameter in (Oaep(*sha1, None, 0), Oaep(*sha256, None, 0), Oaep(*sha256, label, 5)):
            mechanism = self._mechanism(Ckm.RSA_PKCS_OAEP, parameter)
            answers.append(self._call("EncryptInit", session, mechanism, self.public))
            _, length, ciphertext = self._module.output("Encrypt", session, b"hello", 5, room=RSA_SIZE)
            self._call("DecryptInit", session, mechanism, self.private)
            answers.append(self._module.output("Decrypt", session, ciphertext, length, room=RSA_SIZE)[2].decode())
        return answers

    def wrong_paddings(self, session: int) -> Answers:
        """Which return values a guesser of PKCS#1 v1.5 paddings sees."""
        seen = set()
        for number in range(1, 9):
            self._call("DecryptInit", session, self._rsa, self.private)
            seen.add(self._output("Decrypt", session, bytes((number,)) * RSA_SIZE, RSA_SIZE, room=RSA_SIZE).split()[0])
        return sorted(seen)

    def wrapping(self, session: int) -> Answers:
        key = self._aes(session)
        wrap = (session, self._rsa, self.public, key)
        sizes = [self._output("WrapKey", *wrap, room=room) for room in (None, 10)]
        _, length, wrapped = self._module.output("WrapKey", *wrap, room=RSA_SIZE)
        template: Template = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.SENSITIVE: False}
        shown: Template = {**template, Cka.EXTRACTABLE: True, Cka.TOKEN: False}
        answer, back = self._module.made(
            "UnwrapKey", session, self._rsa, self.private, wrapped, length, *self._module.template(shown)
        )
        return [
            *sizes,
            answer,
            str(self._module.value(session, back, Cka.VALUE) == self._module.value(session, key, Cka.VALUE)),
            self._output("WrapKey", session, self._rsa, self.public, self.private, room=RSA_SIZE).split()[0],
            self._output("WrapKey", session, self._rsa, NOBODY, key, room=RSA_SIZE).split()[0],
            self._output("WrapKey", session, self._rsa, self.ec_public, key, room=RSA_SIZE).split()[0],
        ]

    # Objects.

    def attributes_one_by_one(self, session: int) -> Answers:
        """A right one, a sensitive one, an unknown one, one with too little room, a length, one with too much room."""
        return self._module.attributes(
            session,
            self.private,
            (
                *((Cka.CLASS, 8), (Cka.PRIVATE_EXPONENT, 512), (VENDOR, 8)),
                *((Cka.LABEL, 1), (Cka.MODULUS, None), (Cka.TOKEN, 9)),
            ),
        )

    def attributes_in_buffers_of_every_size(self, session: int) -> Answers:
        rooms = (None, 7, 8, 16)
        return [word for room in rooms for word in self._module.attributes(session, self.private, ((Cka.CLASS, room),))]

    def sensitive_lengths(self, session: int) -> Answers:
        return self._module.attributes(session, self.private, ((Cka.PRIVATE_EXPONENT, None),))

    def searches(self, session: int) -> Answers:
        counts = []
        self._call("FindObjectsInit", session, *self._module.template(labelled(LABEL)))
        for limit in (1, 2, 100, 100):
            count = c_ulong()
            self._call("FindObjects", session, (c_ulong * limit)(), limit, count)
            counts.append(str(count.value))
        return [*counts, self._call("FindObjectsFinal", session), self._call("FindObjectsFinal", session)]

    def searches_for_nothing(self, session: int) -> Answers:
        wanted: tuple[Template, ...] = ({Cka.CLASS: 99}, {VENDOR: b"x"}, labelled(b"nobody"))
        return [str(self._module.find(session, template)) for template in wanted]

    def changes(self, session: int) -> Answers:
        note = self._note(session)
        changes: tuple[Template, ...] = ({Cka.LABEL: LABEL}, {Cka.CLASS: 1}, {Cka.TOKEN: False}, {Cka.MODULUS: b"1"})
        answers = [self._change(session, note, change) for change in changes]
        both = self._change(session, note, {Cka.LABEL: b"half", Cka.CLASS: 1})
        unchanged = self._module.value(session, note, Cka.LABEL).decode()
        with self._module.session(self._slot, RO) as reading:
            late = [self._change(reading, note, {Cka.LABEL: LABEL}), self._call("DestroyObject", reading, note)]
        destroyed = [self._call("DestroyObject", session, note) for _ in range(2)]
        return [*answers, both, unchanged, *late, *destroyed]

    def changes_of_a_key(self, session: int) -> Answers:
        changes: list[Template] = [
            {Cka.ID: b"new"},
            {Cka.MODULUS: b"1"},
            {Cka.SENSITIVE: False},
            {Cka.EXTRACTABLE: True},
            {Cka.KEY_TYPE: 3},
            {Cka.LOCAL: False},
        ]
        return [self._change(session, self.private, change) for change in changes]

    def copies(self, session: int) -> Answers:
        note = self._note(session)
        fixed = self._note(session, COPYABLE=False, MODIFIABLE=False)
        changes: tuple[Template, ...] = ({}, {Cka.PRIVATE: True}, {Cka.CLASS: 1}, {Cka.MODULUS: b"1"})
        copies = [self._copy(session, note, change) for change in changes]
        key = self._copy(session, self.private, {Cka.SENSITIVE: False})
        answers = [*copies, key, self._copy(session, fixed, {}), self._change(session, fixed, {Cka.LABEL: b"x"})]
        for handle in self._module.find(session, {Cka.LABEL: LABEL, Cka.CLASS: Cko.DATA}):
            self._call("DestroyObject", session, handle)
        return answers

    def wrong_templates(self, session: int) -> Answers:
        aes: Template = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.VALUE: bytes(16)}
        certificate: Template = {
            Cka.CLASS: Cko.CERTIFICATE,
            Cka.CERTIFICATE_TYPE: 0,
            Cka.VALUE: b"x",
            Cka.SUBJECT: b"x",
        }
        wrong: list[Template] = [
            {},
            {Cka.CLASS: Cko.SECRET_KEY},
            {Cka.CLASS: VENDOR},
            {**aes, Cka.LOCAL: True},
            {Cka.CLASS: Cko.DATA, VENDOR: b"x"},
            {**certificate, Cka.TRUSTED: True},
        ]
        return [self._create(session, template) for template in wrong]

    def session_objects_end(self, session: int) -> Answers:
        _, other = self._module.made("OpenSession", self._slot, RO, None, None)
        note: Template = {Cka.CLASS: Cko.DATA, Cka.TOKEN: False, Cka.PRIVATE: False, Cka.LABEL: b"of a session"}
        made = self._create(other, note)
        seen = len(self._module.find(session, labelled(b"of a session")))
        self._call("CloseSession", other)
        return [made, str(seen), str(len(self._module.find(session, labelled(b"of a session"))))]

    # Random numbers and digests of keys.

    def random_numbers(self, session: int) -> Answers:
        return [self._call("GenerateRandom", session, (c_ulong * 12_500)(), size) for size in (1, 32, 100_000)]

    def a_seed(self, session: int) -> Answers:
        return [self._call("SeedRandom", session, b"seed", 4)]

    def digests_of_keys(self, session: int) -> Answers:
        secret: Template = {
            Cka.CLASS: Cko.SECRET_KEY,
            Cka.KEY_TYPE: Ckk.GENERIC_SECRET,
            Cka.VALUE: b"a key of some length",
        }
        _, key = self._module.made(
            "CreateObject", session, *self._module.template({**secret, Cka.SENSITIVE: False, Cka.EXTRACTABLE: True})
        )
        self._call("DigestInit", session, self._sha256)
        answer = self._call("DigestKey", session, key)
        digest = self._module.output("DigestFinal", session, room=32)[2].hex()
        self._call("DigestInit", session, self._sha256)
        return [answer, digest, self._call("DigestKey", session, self.private)]

    # Logouts, the last rules: some modules have no handle of a private key outlive one.

    def a_private_key_after_the_logout(self, session: int) -> Answers:
        """Its handle in the public session, and when the user is back."""
        self._call("Logout", session)
        gone = self._call("SignInit", session, self._rsa_signs, self.private)
        back = self._login(session)
        return [gone, back, self._call("SignInit", session, self._rsa_signs, self.private)]

    def a_logout_in_an_operation(self, session: int) -> Answers:
        (key,) = self._module.find(session, labelled(LABEL, CLASS=int(Cko.PRIVATE_KEY), KEY_TYPE=int(Ckk.RSA)))
        self._call("SignInit", session, self._rsa_signs, key)
        self._call("FindObjectsInit", session, None, 0)
        logout = self._call("Logout", session)
        after = self._output("Sign", session, b"x", 1, room=RSA_SIZE)
        find = self._call("FindObjectsFinal", session)
        return [logout, after, find, self._login(session)]

    def two_logouts(self, session: int) -> Answers:
        return [*(self._call("Logout", session) for _ in range(2)), self._login(session)]

    # What the rules are made of.

    def _output(self, name: str, *arguments: Any, room: int | None = None) -> str:
        answer, length, _ = self._module.output(name, *arguments, room=room)
        return f"{answer} {length}" if answer in ("OK", "BUFFER_TOO_SMALL") else answer

    def _login(self, session: int, user: int = Cku.USER) -> str:
        return self._call("Login", session, int(user), self._pin, len(self._pin))

    def _pair(self, kind: Ckm, public: Template, private: Template) -> tuple[int, int]:
        both: Template = {Cka.TOKEN: True, Cka.LABEL: LABEL}
        secret: Template = {**both, **private, Cka.PRIVATE: True, Cka.SENSITIVE: True}
        templates = (*self._module.template({**both, **public}), *self._module.template(secret))
        first, second = c_ulong(), c_ulong()
        answer = self._call("GenerateKeyPair", self.session, self._mechanism(kind), *templates, first, second)
        if answer != "OK":
            raise RuntimeError(answer)
        return first.value, second.value

    def _aes(self, session: int) -> int:
        uses: Template = {Cka.ENCRYPT: True, Cka.SENSITIVE: False, Cka.EXTRACTABLE: True, Cka.TOKEN: False}
        template: Template = {Cka.CLASS: Cko.SECRET_KEY, Cka.KEY_TYPE: Ckk.AES, Cka.VALUE: bytes(range(16)), **uses}
        return self._module.made("CreateObject", session, *self._module.template(template))[1]

    def _encrypted(self, session: int, data: bytes) -> bytes:
        self._call("EncryptInit", session, self._rsa, self.public)
        return self._module.output("Encrypt", session, data, len(data), room=RSA_SIZE)[2]

    def _create(self, session: int, template: Template) -> str:
        outside: Template = {Cka.TOKEN: False, Cka.PRIVATE: False}
        return self._module.made("CreateObject", session, *self._module.template({**outside, **template}))[0]

    def _note(self, session: int, **more: bool) -> int:
        note = labelled(LABEL, CLASS=int(Cko.DATA), TOKEN=True, PRIVATE=False, VALUE=b"note", **more)
        return self._module.made("CreateObject", session, *self._module.template(note))[1]

    def _change(self, session: int, handle: int, change: Template) -> str:
        return self._call("SetAttributeValue", session, handle, *self._module.template(change))

    def _copy(self, session: int, handle: int, change: Template) -> str:
        return self._module.made("CopyObject", session, handle, *self._module.template(change))[0]


def main() -> None:
    """Hold the module against every rule."""
    module = Module(os.environ["PKCS11_MODULE"])
    module.call("Initialize", None)
    rules = Rules(module, module.slot_of(os.environ["PKCS11_TOKEN_LABEL"]), os.environ["PKCS11_PIN"].encode())
    rules.set_up()
    by_name = {
        n: r for n, r in vars(Rules).items() if not n.startswith("_") and n not in ("set_up", "tear_down", "run")
    }
    print(json.dumps({name: rules.run(rule) for name, rule in by_name.items()}))
    rules.tear_down()
    module.call("Finalize", None)


if __name__ == "__main__":
    main()
