"""The error of a request that cannot be met."""


class UsageError(ValueError):
    """A person asked for something that does not exist. The message is one line that says what was
    expected; commands print it and exit with status 2."""
