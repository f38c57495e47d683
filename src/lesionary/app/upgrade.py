"""Bring a study that an older Lesionary made up to this one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.study import Study
from lesionary.io.registry.upgrade import Upgraded, upgrade_registry

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What became of a study.

    Parameters
    ----------
    study : Path
        Its folder.
    registry : {"sqlite", "postgresql"}
        Where its rows lie.
    upgraded : Upgraded
        Schema before and after, and where the old rows are kept.
    """

    study: Path
    registry: str
    upgraded: Upgraded

    @property
    def is_current(self) -> bool:
        """Whether there was nothing to do."""
        return self.upgraded.before == self.upgraded.after

    def document(self) -> dict[str, Any]:
        """Return one JSON document."""
        found = {
            "study": str(self.study),
            "registry": self.registry,
            "before": self.upgraded.before,
            "after": self.upgraded.after,
            "backup": self.upgraded.backup,
        }
        if self.upgraded.backup is None:
            found["reason"] = {"backup": "the registry is of this schema already"}
        return found

    def text(self) -> str:
        """Say what was done and where the old registry is."""
        after = self.upgraded.after
        if self.is_current:
            return f"The registry of {self.study} has schema {after} already."
        what = "file" if self.registry == SQLITE else "database schema"
        return (
            f"The registry of {self.study} has schema {after} now; it had {self.upgraded.before}.\n"
            f"The old one is kept in the {what} {self.upgraded.backup}."
        )


def upgrade_study(path: Path) -> UpgradeReport:
    """Upgrade a study's registry while nobody else uses the study.

    Raises
    ------
    WorkflowError
        Code ``busy`` where another process works on the study; those of
        :func:`~lesionary.io.registry.upgrade.upgrade_registry`.
    """
    study = Study.open(path)
    place = study.files.registry_place
    with study.working():
        upgraded = upgrade_registry(place)
    return UpgradeReport(path, SQLITE if place.url is None else POSTGRESQL, upgraded)
