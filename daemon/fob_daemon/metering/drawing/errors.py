"""What can be wrong with what is to be drawn."""


class DrawingError(Exception):
    """A layout that has no room for its indicium, or no layout or slogan; the text says what, for people."""
