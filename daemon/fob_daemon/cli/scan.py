"""`fob devices --scan`: what is near by Bluetooth, and how strong its signal is."""

from typing import Final

from fob_daemon.cli.context import Fob

# dBm from which on a signal has a bar more: at the edge of its range, across the flat, in the room, on the table.
_BARS_FROM: Final = (-100, -85, -75, -65)
_BARS: Final = "▂▄▆█"
_NO_BAR: Final = "·"


def show_nearby(fob: Fob, seconds: int) -> None:
    """Scan, and print what was heard. Raises ControlError."""
    found = fob.client.get("scan", seconds=seconds)["devices"]
    if fob.output.is_json:
        fob.output.data({"devices": found})
        return
    if not found:
        fob.output.say("No device is near.    try: switching Bluetooth on at the phone")
        return
    rows = [(d["name"], f"{d['rssi']} dBm", bars(d["rssi"]), d["paired"] or "no", d["url"]) for d in found]
    fob.output.table(("NAME", "SIGNAL", "", "PAIRED", "URL"), rows)
    stranger = next((device for device in found if not device["paired"]), None)
    if stranger is not None:
        fob.output.say(f"try:   fob pair {stranger['url']}")


def bars(rssi: int) -> str:
    """Four places, filled from the left."""
    count = sum(rssi >= least for least in _BARS_FROM)
    return _BARS[:count] + _NO_BAR * (len(_BARS) - count)
