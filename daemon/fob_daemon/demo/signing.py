"""The walk that signs: each step is a real program that does not know Fob."""

from typing import Final

from fob_daemon.demo.processes import Processes
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_daemon.demo.walk import Say, Step, Walk

KEYS: Final = (("rsa:2048", "RSA-2048", "01"), ("ec:p256", "P-256", "02"), ("ed25519", "Ed25519", "03"))

P11 = 'pkcs11-tool --module "$PKCS11_MODULE" --token-label "$PKCS11_TOKEN_LABEL"'

STEPS: Final = (
    Step(
        "List what the phone holds. The daemon knows it already: nothing crosses the link.",
        f"{P11} --list-objects --type pubkey",
        "pkcs11-tool",
        "opensc",
    ),
    Step(
        "Sign a file with the RSA key: one login, one signature. The file stays here, its digest travels.",
        f"{P11} --login --pin env:PKCS11_PIN --sign --mechanism SHA256-RSA-PKCS --id 01"
        " --input-file message --output-file rsa.sig",
        "pkcs11-tool",
        "opensc",
    ),
    Step(
        "Verify with OpenSSL, which has never heard of the phone.",
        "fob keys show RSA-2048 --pem > rsa.pem && openssl dgst -sha256 -verify rsa.pem -signature rsa.sig message",
        "openssl",
        "openssl",
    ),
    Step(
        "Sign with the P-256 key through OpenSSL's PKCS#11 engine, and verify.",
        'PKCS11_MODULE_PATH="$PKCS11_MODULE" openssl dgst -engine pkcs11 -keyform engine -sha256'
        ' -sign "pkcs11:token=$PKCS11_TOKEN_LABEL;object=P-256;type=private" -out p256.sig message'
        " && fob keys show P-256 --pem > p256.pem && openssl dgst -sha256 -verify p256.pem -signature p256.sig message",
        "openssl",
        "libengine-pkcs11-openssl",
    ),
    Step("The same keys through ssh's agent socket, Ed25519 included.", "ssh-add -l", "ssh-add", "openssh-client"),
    Step(
        "Sign a file as git signs a commit, and check it.",
        "fob keys show Ed25519 --ssh > ed25519.pub && ssh-keygen -q -Y sign -f ed25519.pub -n git message"
        ' && echo "you $(cat ed25519.pub)" > allowed && ssh-keygen -Y verify -f allowed -I you -n git -s message.sig'
        " < message",
        "ssh-keygen",
        "openssh-client",
    ),
)


def make_keys(processes: Processes, say: Say) -> None:
    """Three keys on the phone. Raises DemoError."""
    for kind, label, key_id in KEYS:
        say(f"Making a key on the phone: {label} ...")
        processes.fob("keys", "new", "--type", kind, "--label", label, "--id", key_id)


def sign(scratch: Scratch, say: Say) -> None:
    """The walk. Raises DemoError."""
    (scratch.folder / "message").write_text("The key that signs this never left the phone.\n")
    Walk(STEPS, scratch, say).run()
    say("")
    say(f"Done. The private keys are in '{TOKEN_LABEL}' and nowhere else; this demo now removes it.")
