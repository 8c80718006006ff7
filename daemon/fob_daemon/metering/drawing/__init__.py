"""From an indicium to pictures and pages of labels; its packages are the extra `meter` (`needed.py`), loaded late."""
