"""A program: a box whose masters are in SoftHSM. An order in JSON goes in, and what was given and refused comes out."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pkcs11

# As pytest has it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.identity import admit
from fob_office.centre.boxes.pkcs11_vault import ModulePlace, Pkcs11Vault, import_master
from fob_office.centre.boxes.separation import Purpose, held_by
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError
from support.centre_boxes import Boxes


def refused(attempt: Callable[[], object]) -> str:
    """By what a module refuses."""
    try:
        attempt()
    except pkcs11.PKCS11Error as error:
        return type(error).__name__
    except OperatorError as error:
        return str(error)
    return "not refused"


def openings(place: ModulePlace, purposes: list[Purpose]) -> dict[str, str]:
    """Without the PIN, or as another box."""

    def opened(token: str, pin: str) -> str:
        return refused(lambda: Pkcs11Vault(ModulePlace(place.library, token, pin), "meter-1", purposes))

    return {
        "another PIN": opened(place.token, "0000"),
        "another token": opened("other", place.pin),
        "another box": refused(lambda: Pkcs11Vault(place, "meter-2", purposes)),
    }


def attempts(key: Any, wrapping: Any) -> dict[str, str]:
    """Whatever somebody tries who has the module and the PIN."""
    make_extractable = refused(lambda: key.__setitem__(pkcs11.Attribute.EXTRACTABLE, True))
    wrap = refused(lambda: wrapping.wrap_key(key, mechanism=pkcs11.Mechanism.AES_KEY_WRAP))
    return {
        "value": refused(lambda: key[pkcs11.Attribute.VALUE]),
        "make it extractable": "refused" if make_extractable != "not refused" else make_extractable,
        "wrap": "refused" if wrap != "not refused" else wrap,
    }


def admitted(place: ModulePlace, folder: Path) -> dict[str, object]:
    """A box is admitted twice, its masters go into the module; it derives what another one derives by itself."""
    boxes = Boxes(folder)
    boxes.make(Kind.AUTHENTICATION, "authentication-1")
    _, public = boxes.new(Kind.AUTHENTICATION, "authentication-2")
    for _ in range(2):
        given = boxes.manufacturing.admit(public)
        mine = open_folder(folder / public.name, public.name, boxes.surroundings.random)
        admit(mine, boxes.manufacturing_key, given.shown, given.masters, place)
    one, other = boxes.open("authentication-1"), boxes.open("authentication-2")
    return {
        "same": all(
            one.vault.derive(purpose, "A-1") == other.vault.derive(purpose, "A-1") for purpose in held_by(public.kind)
        ),
        "vault": repr(other.vault),
        "files": sorted(path.name for path in other.folder.path.iterdir()),
    }


def main() -> None:
    """One order."""
    order = json.load(sys.stdin)
    place = ModulePlace(order["library"], order["token"], order["pin"])
    purposes = [Purpose(name) for name in order["masters"]]
    for _ in range(2):
        # The second time with a newer pass: there is one key of each all the same.
        for purpose in purposes:
            import_master(place, "meter-1", purpose, bytes.fromhex(order["masters"][purpose]))
    said: dict[str, Any] = {"admitted": admitted(place, Path(order["folder"]))}
    pkcs11.lib(place.library).reinitialize()
    opened = openings(place, purposes)
    vault = Pkcs11Vault(place, "meter-1", purposes)
    said["derived"] = {purpose: vault.derive(purpose, "A-1", 1).hex() for purpose in purposes}
    said["shown"] = [repr(vault), repr(place)]
    try:
        vault.derive(Purpose.FUND)
    except NotHeldError as error:
        said["not held"] = str(error)
    # The vault's login is that of every session of this process.
    with pkcs11.lib(place.library).get_token(token_label=place.token).open(rw=True) as session:
        (key,) = session.get_objects({pkcs11.Attribute.LABEL: "fob meter-1 token"})
        wrapping = session.generate_key(pkcs11.KeyType.AES, 256, template={pkcs11.Attribute.WRAP: True})
        said["refused"] = opened | attempts(key, wrapping)
    print(json.dumps(said))


main()
