"""What can be wrong with a token file."""


class TokenFileError(ValueError):
    """The file is missing, is in use, belongs to another device or version, or is damaged; the text says which."""


class TokenFileInUseError(TokenFileError):
    """Another process has the file open."""
