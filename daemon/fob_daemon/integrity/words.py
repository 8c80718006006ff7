"""What is the matter with this computer's own copy, by name: for people, with the next command."""

from typing import Final

from fob_daemon.control.office_words import refusal_named

NOT_VALIDATED: Final = "not-validated"
NEEDS_LETTER: Final = "needs-letter"
UNREADABLE: Final = "unreadable"
UNKNOWN_RELEASE: Final = "unknown-release"
OTHER_RELEASE: Final = "other-release"
UNREACHABLE: Final = "unreachable"
NOT_KEPT: Final = "not-kept"
OTHER_CERTIFICATE: Final = "other-certificate"

STATUS: Final = "fob integrity status"
AGAIN: Final = "fob integrity validate"
_ENROL: Final = "fob integrity enrol"
_OPERATOR: Final = "ask who runs the office"
_CERTIFICATE: Final = "--certificate FILE, of the operator's: fob-office server certificate configuration"
_INSTALL: Final = "install fobd anew, restart it, and then: fob integrity validate"

# Where a device's words (fob_protocol.office.refusal_words) speak of devices, and what only a computer has.
_OWN: Final = {
    "invalid": ("what is installed is not what the office gave out", _INSTALL),
    OTHER_RELEASE: ("what is installed is not the release that the office knows by this version", _INSTALL),
    UNREADABLE: ("what is installed cannot be read, and so not be measured", _INSTALL),
    UNKNOWN_RELEASE: ("the office does not know this version of fobd", f"{_OPERATOR}: fob-office program add"),
    "denied": ("the office does not know this computer, or the letter", _OPERATOR),
    "wrong-issuer": (
        "what a server of the office showed, or its certificate here, is not signed by the office's public key that is "
        "configured or was given",
        "compare --issuer, or [office] issuer, with: fob-office issuer show",
    ),
    "other-usage": ("the certificate is not that of the office's configuration server", _CERTIFICATE),
    OTHER_CERTIFICATE: (
        "the office could not read what was sealed for the server of this certificate: it is another office's, or of "
        "before its keys were changed",
        _CERTIFICATE,
    ),
    NEEDS_LETTER: ("the office has another copy, and somebody has to type its letter in", _ENROL),
    NOT_VALIDATED: ("the office has not said yet that this copy is genuine", AGAIN),
    NOT_KEPT: ("what has to be kept could not be written", "fob doctor"),
}  # fmt: skip


def own_words(name: str, detail: str = "") -> tuple[str, str]:
    """What it means, with what is known of it and its name behind, and what helps."""
    if name in _OWN:
        words, deed = _OWN[name]
    else:
        found = refusal_named(name)
        words, deed = found[1:] if found else (name, STATUS)
    return f"{words}: {detail} ({name})" if detail else f"{words} ({name})", deed
