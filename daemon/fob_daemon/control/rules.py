"""What the values of a request have to be. The command line checks its arguments by the same rules. No I/O in here."""

from fob_protocol.names import is_plain_name


def fault_of_name(value: str, limit: int) -> str | None:
    """What is wrong with a text that has to have 1 to `limit` characters, all of them visible; None when nothing is."""
    if not 0 < len(value) <= limit:
        return f"has to be a text of 1 to {limit} characters"
    if not is_plain_name(value):
        return "has characters that cannot be shown"
    if not value.strip(" "):
        return "has only spaces, which cannot be seen"
    return None


def fault_of_label(value: str, limit: int) -> str | None:
    """As `fault_of_name`; `limit` in octets of UTF-8."""
    # No character takes less than an octet; and only what can be shown can be encoded.
    if not 0 < len(value) <= limit or (is_plain_name(value) and len(value.encode()) > limit):
        return f"has to be a text of 1 to {limit} octets in UTF-8"
    return fault_of_name(value, limit)


def fault_of_hex(value: str, limit: int) -> str | None:
    """What is wrong with 1 to `limit` octets in hexadecimal without spaces; None when nothing is."""
    try:
        octets = bytes.fromhex(value)
    except ValueError:
        octets = b""
    if octets.hex() != value.lower() or not octets:
        return "has to be hexadecimal, two digits an octet"
    if len(octets) > limit:
        return f"has to be of 1 to {limit} octets"
    return None


def fault_of_octets(value: str, limit: int) -> str | None:
    """As `fault_of_hex`; none at all are octets too."""
    return fault_of_hex(value, limit) if value else None
