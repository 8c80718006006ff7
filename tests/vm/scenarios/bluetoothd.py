"""bluetoothd dies: the link comes back when it does, and pairing works again, so the agent is known to the new one."""

from vm.bench import Bench


def run(bench: Bench) -> None:
    """Kill it under a link, then pair with a second phone."""
    with bench.phone("first") as first:
        bench.pair(first)
        bench.new_key("work")
        bench.sign("work")
        bench.guest.check("systemctl kill --signal=KILL bluetooth.service")
        bench.note(f"noticed after {bench.await_away():.1f} s")
        bench.guest.check("systemctl reset-failed bluetooth.service; systemctl start bluetooth.service")
        bench.note(f"ready {bench.await_ready():.1f} s after bluetoothd was started again")
        bench.sign("work")
        with bench.phone("second") as second:
            bench.pair(second)
        assert second.label in bench.guest.check("fob devices")
