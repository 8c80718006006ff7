"""What a meter with a back office says, as its end of docs/protocol.md, section 4.3."""

from fob_protocol.at.values import Values
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import FakeDeviceOffice, saying

CONTENT = bytes(range(256)) * 300
PAGE = 32_768
RATE = ("rate", "1.2.0", 1, "Postage rates", 4096, "1.3.0", "+XRATE +XZONE")
SLOGAN = ("slogan", "2.0.1", 2, "A slogan", len(CONTENT), None, None)
COPY = ("rate", "1.2.0", bytes(range(16)), "valid", None, 1_900_000_000, 1_900_086_400)
REFUSED = ("slogan", "2.0.1", bytes(16), "cloned", "cloned", None, None)
WAITING = ("zones", "1.0.0", None, "not-validated", "needs-letter", None, None)
TICKET = b"\xd2the ticket"
TEMPLATE: tuple[Values, ...] = (("Join the post", 1), ("name", "Name", 64, 1), ("city", "City", 8, 0))


def make_meter(device: FakeDeviceOffice) -> None:
    """From now on the device answers as a configured meter."""
    device.handlers |= {
        "+FOBOFFICE": saying(("M-0001", "meter-1", 3, 17, "running", "", 0, 0)),
        "+FOBCONFIGURE": saying(),
        "+FOBSERVERS": saying(("post", "The post", "postage", 1, "ada"), ("bank", "The bank", "money", 0)),
        "+FOBREGISTER": _registered,
        "+FOBENTITLED": saying((4, 1, 1_900_000_000, 1_899_990_000), ("postage", 2), ("archive", 1)),
        "+FOBUSE": _used,
        "+FOBOPTIONS": saying(RATE, SLOGAN),
        "+FOBOPTION": _page,
        "+XRATE": _rate,
        "+FOBCOPIES": saying(COPY, REFUSED, WAITING),
        "+FOBVALIDATE": _of_copy,
        "+FOBTICKET": lambda values: (*_of_copy(values), (TICKET,)),
        "+FOBPRESENT": lambda values: (*_of_copy(values), (TICKET + str(values[1:]).encode(),)),
        "+FOBLETTER": _of_copy,
    }


def _registered(values: Values) -> tuple[Values, ...]:
    if values[0] not in ("post", "bank"):
        raise CkrError(Ckr.ARGUMENTS_BAD)
    return TEMPLATE if values[1] == 0 else ()


def _used(values: Values) -> tuple[Values, ...]:
    body = values[3]
    assert isinstance(body, bytes)
    return ((404 if values[2] == "nothing" else 200, body.upper()),)


def _page(values: Values) -> tuple[Values, ...]:
    component, start = values
    assert isinstance(start, int)
    if component != "slogan":
        raise CkrError(Ckr.ARGUMENTS_BAD)
    return ((len(CONTENT), CONTENT[start : start + PAGE]),)


def _of_copy(values: Values) -> tuple[Values, ...]:
    match values[0]:
        case "rate" | "zones":
            return ()
        case "slogan":
            raise CkrError(Ckr.FUNCTION_REJECTED, "cloned")
    raise CkrError(Ckr.ARGUMENTS_BAD, f"no program {values[0]!r}")


def _rate(values: Values) -> tuple[Values, ...]:
    match values:
        case (int(grams), str(kind), str(zone)):
            return ((grams * 4, "cent", f"{kind} {zone}".encode()), (1,))
    raise CkrError(Ckr.ARGUMENTS_BAD)
