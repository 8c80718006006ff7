"""Ann, who registers by a device at the servers of an office that has nothing to configure."""

from support.device_bench import MASTER, DeviceBench
from support.reference_office import ReferenceOffice, User

ANN = {"name": "Ann", "account": "12"}
PC = bytes(range(32))


async def registered(bench: DeviceBench, server: str = "bank") -> User:
    """Ann, at a server."""
    await bench.back_office.register(server, ANN, MASTER)
    return bench.office.user(server)


def configured() -> ReferenceOffice:
    """It knows devices, and has nothing for them."""
    office = ReferenceOffice()
    office.order = []
    return office
