"""The main job: find, pair, list and sign, with the daemon in its hardened unit and the stock PKCS#11 client."""

from vm.bench import Bench


def run(bench: Bench) -> None:
    """Pair, list, sign."""
    with bench.phone("use") as phone:
        bench.pair(phone)
        bench.new_key("work")
        assert phone.label in bench.pkcs11_tool("--list-token-slots")
        assert "work" in bench.pkcs11_tool("--list-objects --type pubkey")
        bench.sign("work")
