"""Errors of the library. Each is one of Python's own kinds besides."""

from __future__ import annotations


class Error(Exception):
    """An error of vdsq: one line that says what is wrong and what to do about it."""

    status = 70
    """The exit code that the command line has for this error."""


class UsageError(Error, ValueError):
    """An argument is wrong."""

    status = 64


class InputError(Error, ValueError):
    """A file is damaged, or of a kind that is not supported."""

    status = 65


class MissingInputError(Error, FileNotFoundError):
    """A file does not exist or cannot be read."""

    status = 66


class InternalError(Error, RuntimeError):
    """A fault that no input should cause."""


class BudgetError(Error, MemoryError):
    """The work does not fit the memory budget."""

    status = 75


_BY_STATUS: dict[int, type[Error]] = {
    kind.status: kind
    for kind in (UsageError, InputError, MissingInputError, InternalError, BudgetError)
}


def error(status: int, message: str) -> Error:
    """The error of a status."""
    return _BY_STATUS.get(status, InternalError)(message)
