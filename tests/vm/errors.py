"""What goes wrong with the virtual machine."""


class VmError(Exception):
    """The machine was not built, did not boot, or stopped answering; the text is for the person."""


class GuestGoneError(VmError):
    """The guest stopped answering: no scenario can go on."""
