"""The lists of attacks on software updates that others have drawn up: what a device and its office have to refuse.

The Update Framework, specification, section 1.5.2; the Uptane Standard, section 4.3; SUIT, RFC 9124, section 4.2.
"""

from typing import Final

TUF: Final = (
    "arbitrary software installation",
    "endless data",
    "extraneous dependencies",
    "fast-forward",
    "indefinite freeze",
    "malicious mirrors",
    "mix-and-match",
    "rollback",
    "slow retrieval",
    "vulnerability to key compromises",
    "wrong software installation",
)
UPTANE: Final = (
    "eavesdrop",
    "drop-request",
    "slow retrieval",
    "freeze",
    "partial bundle installation",
    "rollback",
    "endless data",
    "mixed bundles",
    "mix-and-match",
    "arbitrary software",
    "denial of service",
)
SUIT: Final = (
    "IMG.EXPIRED",
    "IMG.EXPIRED.OFFLINE",
    "IMG.INCOMPATIBLE",
    "IMG.FORMAT",
    "IMG.LOCATION",
    "NET.REDIRECT",
    "NET.ONPATH",
    "IMG.REPLACE",
    "IMG.NON_AUTH",
    "UPD.WRONG_PRECURSOR",
    "UPD.UNAPPROVED",
    "IMG.DISCLOSURE",
    "MFST.OVERRIDE",
    "MFST.EXPOSURE",
    "IMG.EXTRA",
    "KEY.EXPOSURE",
    "MFST.MODIFICATION",
    "MFST.TOCTOU",
)

ALL: Final = (
    *(f"TUF {name}" for name in TUF),
    *(f"Uptane {name}" for name in UPTANE),
    *(f"SUIT {name}" for name in SUIT),
)

# What neither a device nor its office can tell: docs/threat-model.md says why, and what helps.
NOT_HERE: Final = ("SUIT MFST.MODIFICATION",)
