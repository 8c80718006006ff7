"""What a tap can meet."""


class SheetGoneError(Exception):
    """There is no such sheet any more: it was answered, withdrawn, or its time is over. Nothing happened."""

    def __init__(self) -> None:
        super().__init__("this question is gone: it was answered, withdrawn, or nobody answered in time")


class PhoneLockedError(Exception):
    """The phone is locked, and this is for its person only. Nothing happened."""

    def __init__(self) -> None:
        super().__init__("the phone is locked")
