"""Every error that Lesionary raises on purpose.

::

    LesionaryError
    ├── InputError               unusable as given (also a ValueError)
    │   ├── UnreadableSeriesError
    │   └── GeometryMismatchError
    ├── PrivacyError             going on would leak identity: always fatal
    ├── WorkflowError            right object, wrong moment
    └── PluginUnavailableError   optional segmenter cannot be loaded

Anything else that reaches the command line is a bug (exit code 70).
"""

from collections.abc import Mapping, Sequence
from typing import Any


class LesionaryError(Exception):
    """An expected failure: what happened, what to do next, and the shell's exit code.

    Parameters
    ----------
    message : str
        What is wrong, with values and units. Never a patient's identity, and never a file's name:
        that may be one, so it goes to ``source`` and is shown only where the user gave it.
    code : str, optional
        Machine-readable name from the gate's table (``docs/reference/gate.md``).
    hint : str, optional
        What the user can do next.
    source : str, optional
        The file or item the error is about, as the user named it.
    sources : sequence of str, optional
        All of them, where several matter.
    details : mapping, optional
        What stands beside the error where it is shown as JSON.
    """

    code = "error"
    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        source: str | None = None,
        sources: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.source = source
        self.sources = tuple(sources) or ((source,) if source else ())
        self.details: Mapping[str, Any] = details or {}

    def at(self, source: str) -> "LesionaryError":
        """Name the file this error is about, unless it has one already; return the error."""
        if self.source is None:
            self.source = source
            self.sources = self.sources or (source,)
        return self


class InputError(LesionaryError, ValueError):
    """The input cannot be used as given."""

    code = "input"


class UnreadableSeriesError(InputError):
    """A file or series cannot be read whole and unharmed."""

    code = "unreadable"


class GeometryMismatchError(InputError):
    """Two images that must share a grid do not."""

    code = "grid_mismatch"


class PrivacyError(LesionaryError):
    """Going on would leak an identity."""

    code = "privacy"


class WorkflowError(LesionaryError):
    """The right object at the wrong moment."""

    code = "workflow"


class PluginUnavailableError(LesionaryError):
    """An optional plug-in cannot be loaded."""

    code = "plugin_unavailable"
