"""Names of Bluetooth controllers: what they are made of, and the command that shows whether one is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.link.controller import KINDS, Controller, ControllerError


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("hci-socket:0", "ls -l /sys/class/bluetooth/hci0"),
        ("hci-socket:0; reboot", "ls -l /sys/class/bluetooth/'hci0; reboot'"),
        ("usb:0", "lsusb"),
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


@given(st.text())
def test_any_text_is_a_controller_or_none(text: str) -> None:
    try:
        controller = Controller.parse(text)
    except ControllerError:
        return
    assert controller.kind in KINDS
    assert controller.place
