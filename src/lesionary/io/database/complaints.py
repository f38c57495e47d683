"""Which exceptions are a database's, and which of those a bug; without loading either database."""

_NO_RIGHT = "42501"

OUR_FAULTS = ("IntegrityError", "ProgrammingError", "DataError")
"""What a database says of a wrong statement, not of its file or server."""

_OF_ADDRESS = ("connection option", "URI", "IPv6 host")
"""What the driver says of an address that it cannot read."""


def is_our_fault(error: BaseException) -> bool:
    """Tell whether a driver complains of a statement; then a bug is a bug."""
    if getattr(error, "sqlstate", None) == _NO_RIGHT or is_of_address(error):
        return False
    return any(base.__name__ in OUR_FAULTS for base in type(error).__mro__)


def is_of_address(error: BaseException) -> bool:
    """Tell whether a driver complains of the address before it tried it."""
    is_drivers = type(error).__name__ == "ProgrammingError" and is_of_database(error)
    is_local = is_drivers and getattr(error, "sqlstate", None) is None
    return is_local and any(words in str(error) for words in _OF_ADDRESS)


def is_of_database(error: BaseException) -> bool:
    """Tell whether a driver raised an exception; of a damaged file also one about its text."""
    is_drivers = type(error).__module__.partition(".")[0] in {"sqlite3", "psycopg"}
    return is_drivers or isinstance(error, UnicodeDecodeError)
