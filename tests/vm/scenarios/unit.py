"""The shipped units under a real systemd: started by a client, hardened, back after a crash, with Bluetooth."""

import re

from vm.bench import SOCKETS, Bench

# What `systemd-analyze security` may find at most, of 10.
EXPOSURE_LIMIT = 1.5


def run(bench: Bench) -> None:
    """Stop it, and let each way of starting it show."""
    guest = bench.guest
    with bench.phone("unit") as phone:
        bench.pair(phone)
        bench.new_key("work")

        guest.check("systemctl stop fobd.service")
        guest.check(f"for socket in {SOCKETS}; do systemctl is-active $socket; done")
        # Comes before the daemon, and waits for it.
        assert "unit" in bench.pkcs11_tool("--list-token-slots")
        bench.await_ready()

        process = guest.check("systemctl show --property=MainPID --value fobd.service").strip()
        assert guest.check(f"stat --format=%U /proc/{process}").strip() == "fob"
        status = dict(re.findall(r"^(\w+):\s+(.*)$", guest.check(f"cat /proc/{process}/status"), re.MULTILINE))
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"

        shown = guest.check("systemd-analyze security --no-pager fobd.service", timeout=120.0)
        exposure = re.search(r"Overall exposure level for \S+ ([\d.]+)", shown)
        assert exposure, shown
        assert float(exposure[1]) <= EXPOSURE_LIMIT
        bench.note(f"exposure {exposure[1]}")

        guest.check(f"kill -KILL {process}")
        guest.until("systemctl show --property=NRestarts --value fobd.service | grep -q 1")
        bench.note(f"ready {bench.await_ready():.1f} s after the daemon was killed")
        bench.sign("work")
