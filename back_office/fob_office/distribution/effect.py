"""When a copy's holder hears of what an operator has said, in words: by the policy that it was made with (V16)."""

from fob_protocol.integrity.copy_record import Policy


def when_it_asks(policy: Policy) -> str:
    """What comes behind `it asks`. Times are seconds."""
    when = "before its next use"
    if policy.interval:
        when = f"when its last VAL_OK is {policy.interval} s old, and when it starts"
    if not policy.grace:
        return when
    return f"{when}; while it cannot reach this office it goes on until its last VAL_OK is {policy.grace} s old"
