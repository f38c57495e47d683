"""Lesionary: from scans to a reviewed, measured, published tumour data set."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesionary.app import files
    from lesionary.app.study import Study

__all__ = ["Study", "files"]


def __getattr__(name: str) -> object:
    """Load ``Study`` and ``files`` when they are asked for: importing the package costs nothing."""
    from importlib import import_module

    if name == "Study":
        return import_module("lesionary.app.study").Study
    if name == "files":
        return import_module("lesionary.app.files")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
