"""Finds segmenters by their entry points; nothing is imported before it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from lesionary.annotate.segmenter import Segmenter
from lesionary.core.errors import PluginUnavailableError

GROUP = "lesionary.segmenters"
"""Entry points of this group name a class without arguments that is a :class:`Segmenter`."""


@dataclass(frozen=True, slots=True)
class SegmenterRegistry:
    """The segmenters that this installation knows by name."""

    _entries: Mapping[str, EntryPoint]

    @classmethod
    def discover(cls) -> "SegmenterRegistry":
        """Read the entry points of all installed packages, built-ins among them."""
        return cls({entry.name: entry for entry in entry_points(group=GROUP)})

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted; whether each can be loaded shows at :meth:`create`."""
        return tuple(sorted(self._entries))

    def create(self, name: str) -> Segmenter:
        """Import and create a segmenter.

        Raises
        ------
        PluginUnavailableError
            If there is none of this name, or its package cannot be imported or started.
        """
        if name not in self._entries:
            raise PluginUnavailableError(
                f"there is no segmenter {name!r}", hint=f"choose one of {', '.join(self.names())}"
            )
        try:
            segmenter = self._entries[name].load()()
        except Exception as error:  # a plug-in may fail in any way; its text may name paths
            missing = getattr(error, "name", None)
            reason = f"{missing!r} is missing" if isinstance(missing, str) else type(error).__name__
            raise PluginUnavailableError(
                f"segmenter {name!r} cannot be loaded: {reason}",
                hint=f"install what it needs, or choose one of {self._others(name)}",
            ) from error
        if not isinstance(segmenter, Segmenter):
            raise PluginUnavailableError(
                f"{name!r} is installed as a segmenter but has no info or no segment()",
                hint=f"choose one of {self._others(name)}",
            )
        return segmenter

    def default_for(self, modality: str) -> str:
        """Return the name of the built-in that does best on ``modality`` (DICOM's word)."""
        return "walker" if modality == "PT" else "contour"

    def _others(self, name: str) -> str:
        return ", ".join(other for other in self.names() if other != name)
