"""A virtual radio: Bluetooth Low Energy controllers that hear one another, with time, loss and distance.

It takes the place of hardware in tests and in `fob demo --link ble`; the stacks above it are real ones. It needs the
package `bumble` (the extra `radio`).
"""
