"""One decorator for compiled kernels.

Kernels live in ``_kernels.py`` modules that are imported at first use, so that ``lesionary --help``
never pays for numba. ``parallel`` stays off (numba's fallback threading aborts the process when two
Python threads enter) and so does ``fastmath`` (results must not depend on the machine).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile ``function``, cached on disk; uncached where no cache folder is writable."""
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba raises at decoration where it finds no writable cache folder
        return cast(_Function, numba.njit(nogil=True)(function))
