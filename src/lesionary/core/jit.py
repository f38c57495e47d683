"""One decorator for compiled kernels.

Kernels live in ``_kernels.py`` modules that are imported at first use, so that ``lesionary --help``
never pays for numba. ``parallel`` stays off (numba's fallback threading aborts the process when two
Python threads enter) and so does ``fastmath`` (results must not depend on the machine).
"""

import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

_STALE = (
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What reading a cache raises that another version of the package left, or a broken disk."""


def kernel(function: _Function) -> _Function:
    """Compile ``function``, cached on disk; uncached where no cache folder is writable."""
    try:
        return cast(_Function, _forgetting(numba.njit(cache=True, nogil=True)(function)))
    except RuntimeError:  # numba raises at decoration where it finds no writable cache folder
        return cast(_Function, numba.njit(nogil=True)(function))


def _forgetting(dispatcher: Any) -> Any:
    """Let a kernel forget a cache that cannot be read, and compile anew.

    An upgrade in place leaves the old version's cache behind, whose types may be gone.
    """
    cache = dispatcher._cache
    load = cache.load_overload

    def load_or_forget(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except _STALE:
            cache.flush()
            return None

    cache.load_overload = load_or_forget
    return dispatcher
