"""What readers put into the registry of a subject's course: decisions, and diameters of reports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import Row
from lesionary.core.errors import InputError

if TYPE_CHECKING:
    from lesionary.app.study import Study

_LONGEST_NAME = 64

Json = dict[str, Any]
_Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class ReadersWords:
    """The words of some subjects' readers, by subject, in the order in which they were said."""

    links: Mapping[str, Sequence[Row]]
    roles: Mapping[str, Sequence[Row]]
    diameters: Mapping[str, Sequence[Row]]
    timepoints: Mapping[str, int]

    @classmethod
    def of(cls, study: "Study", rows: Sequence[Row]) -> "ReadersWords":
        """Read what was said of the subjects whose series are given."""
        from lesionary.io.registry import tables

        subjects = sorted({row["subject_id"] for row in rows})
        named = (tables.decision, tables.role_decision, tables.reported_diameter)
        links, roles, diameters = (
            _by_subject(
                study.registry.rows(table, among={"subject_id": subjects}, order_by=("id",))
            )
            for table in named
        )
        timepoints = {row["timepoint_id"]: row["timepoint"] for row in rows}
        return cls(links, roles, diameters, timepoints)

    def decisions(self, subject: str) -> dict[str, list[Json]]:
        """Return a subject's decisions on links and on roles, as ``respond`` takes them."""
        return {
            "links": [_link_decision(row) for row in self.links.get(subject, ())],
            "roles": [_role_decision(row) for row in self.roles.get(subject, ())],
        }

    def reported(self, subject: str) -> list[Json]:
        """Return a subject's reported diameters that no later one corrects."""
        return [
            {
                "timepoint": str(self.timepoints[row["timepoint_id"]]),
                "lesion": row["lesion"],
                "series": row["series_id"],
                "number": row["number"],
                "object": row["object_id"],
                "diameter_mm": row["diameter_mm"],
                "reader": row["reader"],
                "source": row["source"],
            }
            for row in standing(self.diameters.get(subject, ()))
            if row["timepoint_id"] in self.timepoints
        ]


def standing(rows: Iterable[Row]) -> list[Row]:
    """Return the reported diameters that no other corrects."""
    rows = list(rows)
    replaced = {row["replaces"] for row in rows}
    return [row for row in rows if row["id"] not in replaced]


def require_reader(name: str) -> str:
    """Return a reader's name, or refuse it.

    Raises
    ------
    InputError
        Code ``usage``: no name, one of more than 64 characters, or one that cannot be printed.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"a reader's name has 1 to {_LONGEST_NAME} characters that can be printed",
            code="usage",
            hint="give --reader a name, or initials",
        )
    return name.strip()


def _by_subject(rows: Iterable[Row]) -> _Rows:
    found: _Rows = {}
    for row in rows:
        found.setdefault(row["subject_id"], []).append(row)
    return found


def _link_decision(row: Row) -> Json:
    ends = {
        end: {
            "series": row[f"{end}_series_id"],
            "lesion": row[f"{end}_lesion"],
            "object": row[f"{end}_object"],
        }
        for end in ("from", "to")
    }
    words = {"verdict": row["verdict"], "reader": row["reader"], "further": row["further"]}
    return ends | words


def _role_decision(row: Row) -> Json:
    return {
        "series": row["series_id"],
        "lesion": row["lesion"],
        "object": row["object_id"],
        "role": row["role"],
        "reader": row["reader"],
    }
