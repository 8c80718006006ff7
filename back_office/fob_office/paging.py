"""Lists are read a page at a time, over HTTP and at the command line."""

from typing import Final

# Rows of a page at most: one answer, however many there are.
PAGE: Final = 100
