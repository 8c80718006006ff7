"""The walk with a meter: from a name and a password to labels that the post finds genuine, and to those it does not."""

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Final

from fob_daemon.control.errors import ControlError
from fob_daemon.demo.errors import NOT_BEGUN, DemoError
from fob_daemon.demo.scratch import Scratch
from fob_daemon.demo.signals import undisturbed
from fob_daemon.demo.walk import Say, Step, Walk
from fob_daemon.metering.drawing.needed import check_packages

# The table of prices comes with the rates.
METER_OPTIONS: Final = ("postage-rates", "slogan-picture", "indicium-layout")
# No piece costs more than three euros.
TERMS: Final = ("--most-for-a-piece", "300")

_LETTERS: Final = """to,address,weight,zone
80331,"Emmy Noether, Marienplatz 1, 80331 Muenchen",20,domestic
1010,"Lise Meitner, Stephansplatz 3, 1010 Wien",400,europe
75005,"Marie Curie, Rue Cuvier 12, 75005 Paris",20,europe
"""

# A data centre with one steel box numbers its first meter always the same, and of two boxes this one has its slot.
_BOX: Final = "meter-2"

_FOB: Final = ("fob", "fob")
_OFFICE: Final = ("fob-office", "fob")
_LOOK: Final = "grep ^asked: phone.log | tail -n 1"

STEPS: Final = (
    Step(
        "What was ordered: a program that computes the postage from a table, a layout and a slogan for labels.",
        "fob options list",
        *_FOB,
    ),
    Step(
        "Ada signs up for a meter, which stays at the data centre. She types her password on the phone, twice ...",
        "fob meter sign-up ada --origin 20457",
        *_FOB,
    ),
    Step("She loads 20 euros: the phone's screen shows the amount, and she says yes.", "fob meter refill 20", *_FOB),
    Step(
        "A letter. The phone computes the postage, shows it, asks the data centre; this computer draws the label.",
        'fob meter frank --to 10115 --address "Grace Hopper, Invalidenstr. 117, 10115 Berlin" --weight 20'
        " --output labels --format png",
        *_FOB,
    ),
    Step("What stood on the phone's screen, and who answered.", _LOOK, *_FOB),
    Step(
        "Three letters at once, one of them dearer than a piece may be here: its line is named, and none is paid.",
        "! fob meter frank --batch letters.csv",
        *_FOB,
    ),
    Step(
        "It is made lighter. One yes pays all three, and they are drawn as pictures and on a page for the printer.",
        "sed -i s/400/20/ letters.csv && fob meter frank --batch letters.csv --output labels --format png"
        " --pdf labels/page.pdf",
        *_FOB,
    ),
    Step(
        "Somebody kills the secure box that Ada's meter is in (kill -9). She franks at once, which takes a moment ...",
        f"kill -9 $(fob-office centre status | awk '$1 == \"{_BOX}\" {{ print $4 }}') && fob meter frank --to 20457"
        ' --address "Ada, Am Sandtorkai 1, 20457 Hamburg" --weight 20 --output labels --format png',
        *_OFFICE,
    ),
    Step(
        "... until the box is there again, or another one that had the same on its disk.",
        "fob-office centre status | grep -e ^name -e ^meter",
        *_OFFICE,
    ),
    Step("Drawing again is no paying again.", "fob meter print --output labels --format svg", *_FOB),
    Step(
        "The post scans the first four letters: all genuine.",
        "fob-office verify labels/*-00000[34]-*.png",
        *_OFFICE,
    ),
    Step(
        "Somebody prints one of these labels again, for another letter: it was used.",
        "! fob-office verify labels/*-000003-01.png",
        *_OFFICE,
    ),
    Step(
        "Somebody writes another amount beside the code.",
        "! fob-office verify labels/*-000005-01.png --amount 9.00",
        *_OFFICE,
    ),
    Step(
        "What the meter has done and has left, checked by the phone, with a checkpoint of the data centre's log.",
        "fob meter status --ask --checkpoint checkpoint",
        *_FOB,
    ),
    Step(
        "The data centre exports its log, and a program that knows no data centre holds it against that checkpoint.",
        "fob-office centre log export log && fob-log-verify log checkpoint",
        *_OFFICE,
    ),
)


def check_drawing() -> None:
    """Are the packages there that draw labels? Raises DemoError."""
    try:
        check_packages()
    except ControlError as error:
        raise DemoError(NOT_BEGUN, error.why, error.next_command) from None


def person() -> str:
    """The phone's person has a password, and looks at the screen before saying yes; TOML."""
    asked = "".join(f'[[approval]]\noperation = "{operation}"\nafter = 0.5\n' for operation in ("frank", "load"))
    return f'password = "{secrets.token_hex(8)}"\n{asked}'


def meter(scratch: Scratch, say: Say) -> None:
    """The walk. Raises DemoError."""
    (scratch.folder / "letters.csv").write_text(_LETTERS)
    Walk(STEPS, scratch, say).run()
    say("")
    say("Done. This computer had neither a key nor a cent, and each label was paid once.")
    say(f"The labels are in {_keep(scratch.folder / 'labels')}")


def _keep(labels: Path) -> Path:
    """A folder that stays. Raises DemoError when there is no room for one."""
    try:
        with undisturbed():
            kept = Path(tempfile.mkdtemp(prefix="fob-labels-"))
            shutil.copytree(labels, kept, dirs_exist_ok=True)
    except OSError as error:
        raise DemoError("the labels were not kept", str(error), "TMPDIR=FOLDER fob demo --tour meter") from None
    return kept
