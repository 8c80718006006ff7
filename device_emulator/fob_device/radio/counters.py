"""What crossed the air, counted in connection events: the unit in which Bluetooth Low Energy costs time."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Crossed:
    """One direction: connection events that it used, packets and octets that arrived, packets that were lost.

    An event counts once however many packets it carried, and also when its packet was lost. Octets are those of the
    link layer's data (L2CAP with its header of four); control packets have none.
    """

    events: int = 0
    packets: int = 0
    octets: int = 0
    lost: int = 0

    def __sub__(self, earlier: "Crossed") -> "Crossed":
        return Crossed(
            self.events - earlier.events,
            self.packets - earlier.packets,
            self.octets - earlier.octets,
            self.lost - earlier.lost,
        )


@dataclass(slots=True)
class Counters:
    """Both directions."""

    to_peripheral: Crossed = field(default_factory=Crossed)
    to_central: Crossed = field(default_factory=Crossed)

    @property
    def events(self) -> int:
        """Events used in one direction or the other; an event that carried packets both ways counts twice."""
        return self.to_peripheral.events + self.to_central.events

    def copy(self) -> "Counters":
        """As it is now; subtract it later."""
        return self - Counters()

    def __sub__(self, earlier: "Counters") -> "Counters":
        return Counters(self.to_peripheral - earlier.to_peripheral, self.to_central - earlier.to_central)
