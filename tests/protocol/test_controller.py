"""Names of Bluetooth controllers: what they are made of, and the command that shows whether one is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.link.controller import KINDS, Controller, ControllerError


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("hci-socket:0", "ls -l /sys/class/bluetooth/hci0"),
        ("hci-socket:65534", "ls -l /sys/class/bluetooth/hci65534"),
        ("usb:0", "lsusb"),
        ("usb:04b4:f901", "lsusb"),
        ("usb:04b4:f901#2", "lsusb"),
        ("usb:04b4:f901/00E04C239987", "lsusb"),
        ("usb:3-3.4.1", "lsusb"),
        ("usb:0+sco=5!", "lsusb"),
        ("serial:/dev/ttyACM0,1000000", "ls -l /dev/ttyACM0"),
        ("tcp-client:radio.example:6402", "getent hosts radio.example"),
        ("unix-client:/tmp/my air", "ls -l '/tmp/my air'"),
    ],
)
def test_a_controller_and_where_to_look_for_it(name: str, look: str) -> None:
    controller = Controller.parse(name)
    assert f"{controller.kind}:{controller.place}" == name
    assert controller.look == look


@pytest.mark.parametrize("name", ["", ":", "usb", "usb:", "hci0", "unix-client:", "file:/etc/passwd", "USB:0"])
def test_what_names_no_controller_is_told_what_one_is(name: str) -> None:
    with pytest.raises(ControllerError, match=", ".join(KINDS)):
        Controller.parse(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *(
            (f"hci-socket:{place}", "a number from 0 to 65534")
            for place in ("x", "-1", "65535", "0; reboot", "²", "0 ")
        ),
        *((f"usb:{place}", "a number, VENDOR:PRODUCT or BUS-PORT") for place in ("x", "-1", "04b4:", ":f901", "0\n")),
        *(
            (f"tcp-client:{place}", "HOST:PORT with a port from 1 to 65535")
            for place in ("127.0.0.1", "127.0.0.1:", ":6402", "h:0", "h:65536", "h:x", "[::1]:5", "a b:5")
        ),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_its_rule(name: str, why: str) -> None:
    with pytest.raises(ControllerError, match=f"^behind {name.partition(':')[0]}: stands {why}"):
        Controller.parse(name)


@given(st.text() | st.builds("{}:{}".format, st.sampled_from(KINDS), st.text()))
def test_any_text_is_a_controller_or_none(text: str) -> None:
    try:
        controller = Controller.parse(text)
    except ControllerError:
        return
    assert controller.kind in KINDS
    assert controller.place
