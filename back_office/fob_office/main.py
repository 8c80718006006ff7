"""`fob-office`: run a back office, and what belongs to it."""

from fob_office.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
