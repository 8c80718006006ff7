"""The language that a Fob daemon and a Fob device speak: AT commands in authenticated records over framing.

No I/O in here: bytes and the time go in, events and bytes come out. `docs/protocol.md` is the specification.
"""
