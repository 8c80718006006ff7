"""The generated number tables against two other people's: PyKCS11 and python-pkcs11."""

from enum import IntEnum, IntFlag

import PyKCS11
import pytest
from pkcs11 import constants, mechanisms

from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckc, Ckd, Ckg, Ckk, Cko, Cks, Cku, Ckz
from fob_protocol.pkcs11.flags import MechanismFlag, SessionFlag, SlotFlag, TokenFlag

Table = type[IntEnum] | type[IntFlag]

# PyKCS11 gives CK_ULONGs as signed or as 64-bit numbers; every one of ours has 32 bits.
MASK = 0xFFFF_FFFF

# A member cannot begin with a digit: 2_KEY became N2_KEY.
DIGIT_PREFIX = "N"

# python-pkcs11 hides the names that it has no use for.
PRIVATE_PREFIX = "_"


def values(table: Table) -> dict[str, int]:
    """Every name of the table, aliases too, as the standard spells it."""
    return {
        name.removeprefix(DIGIT_PREFIX) if name[1:2].isdigit() else name: int(member)
        for name, member in table.__members__.items()
    }


def disagreement(ours: dict[str, int], theirs: dict[str, int]) -> dict[str, tuple[str, str]]:
    """Names that both know with different numbers: (ours, theirs)."""
    common = ours.keys() & theirs.keys()
    return {name: (hex(ours[name]), hex(theirs[name])) for name in common if ours[name] != theirs[name]}


@pytest.mark.clause("P2")
@pytest.mark.parametrize(
    "table",
    [Ckr, Cka, Ckm, Cko, Ckk, Ckc, Cku, Cks, Ckg, Ckd, Ckz, SlotFlag, TokenFlag, SessionFlag, MechanismFlag],
)
def test_pykcs11_knows_every_number(table: Table) -> None:
    prefix = "CKF_" if issubclass(table, IntFlag) else f"{table.__name__.upper()}_"
    theirs = {
        name.removeprefix(prefix): value & MASK
        for name, value in vars(PyKCS11).items()
        if name.startswith(prefix) and isinstance(value, int)
    }
    ours = values(table)
    assert ours.keys() - theirs.keys() == set()
    assert disagreement(ours, theirs) == {}


@pytest.mark.clause("P2")
@pytest.mark.parametrize(
    ("ours", "theirs", "shared"),
    [
        (Cka, constants.Attribute, 60),
        (Ckm, mechanisms.Mechanism, 200),
        (Ckk, mechanisms.KeyType, 40),
        (Cko, constants.ObjectClass, 8),
        (Ckc, constants.CertificateType, 3),
        (SlotFlag, constants.SlotFlag, 3),
        (TokenFlag, constants.TokenFlag, 14),
        (MechanismFlag, constants.MechanismFlag, 13),
    ],
)
def test_python_pkcs11_agrees(ours: Table, theirs: Table, shared: int) -> None:
    """`shared`: at least so many names in common, or the comparison says nothing."""
    known = {name.lstrip(PRIVATE_PREFIX): int(member) for name, member in theirs.__members__.items()}
    assert len(values(ours).keys() & known.keys()) >= shared
    assert disagreement(values(ours), known) == {}
