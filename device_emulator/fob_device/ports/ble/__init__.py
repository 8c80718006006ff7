"""The Bluetooth Low Energy port: a GATT server on a controller of the phone's own (docs/protocol.md, section 8).

It needs the package `bumble` (the extra `radio`), which takes half a second to import; `ports/url.py` waits with that
until somebody asks for such a port.
"""
