"""The data centre: the processes that keep meters and sell postage (docs/meter-protocol.md)."""
