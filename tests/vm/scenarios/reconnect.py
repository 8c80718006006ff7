"""A phone that was restarted is connected to again by its bond, with nobody asked."""

from vm.bench import Bench


def run(bench: Bench) -> None:
    """Battery out, battery in, sign; twice, the second time with the daemon restarted too."""
    with bench.phone("reconnect") as phone:
        bench.pair(phone)
        bench.new_key("work")
        phone.kill()
        bench.await_away()
        phone.switch_on()
        bench.note(f"ready {bench.await_ready():.1f} s after the phone was switched on")
        bench.sign("work")
        phone.kill()
        bench.guest.check("systemctl restart fobd.service", timeout=90.0)
        phone.switch_on()
        bench.note(f"ready {bench.await_ready():.1f} s after phone and daemon were started")
        bench.sign("work")
