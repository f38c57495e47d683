"""What the study's readers agree on, and how its predictions score, over all images together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import finished
from lesionary.app.stages.agree import AGREE, case_of
from lesionary.app.stages.evaluate import EVALUATE, not_predicted

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.publish.comparison.picture import Picture
    from lesionary.publish.comparison.tables import Table

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Outputs of both stages, by series, as far as they are up to date.

    Parameters
    ----------
    agreed, evaluated : dict
        Output of each stage by series.
    rows : dict
        Every series of the study.
    not_predicted : dict of str to list of str
        By prediction: series that have a reference, but no mask of this prediction. They are not
        scored, and whoever reads a mean has to know of them.
    """

    agreed: dict[str, Any]
    evaluated: dict[str, Any]
    rows: dict[str, Any]
    not_predicted: dict[str, list[str]]

    @classmethod
    def of(cls, study: "Study") -> "Comparisons":
        """Read them from the study."""
        rows = {row["id"]: row for row in study.registry.all_series()}
        return cls(finished(study, AGREE), finished(study, EVALUATE), rows, not_predicted(study))

    def agreement(self) -> Document | None:
        """Return the tables of all readers over all images; None where nobody is compared."""
        from lesionary.agree.case_tables import CaseTables
        from lesionary.agree.summary import summarise_tables

        if not self.agreed:
            return None
        parts = [CaseTables.from_json(one["tables"]) for one in self.agreed.values()]
        return summarise_tables(CaseTables.joined(parts)).to_json()

    def evaluation(self) -> dict[str, Document]:
        """Return the tables of every prediction, by its name."""
        from lesionary.evaluate.entries import case_rows
        from lesionary.evaluate.summary import summarise

        found = {}
        for name in self.predictions:
            cases = self._cases_of(name)
            found[name] = summarise(cases).to_json() | {
                "cases": case_rows(cases),
                "not_predicted": self.not_predicted.get(name, []),
            }
        return found

    @property
    def predictions(self) -> list[str]:
        """Names of all predictions, those of which no image has a mask included."""
        scored = {name for one in self.evaluated.values() for name in one["predictions"]}
        return sorted(scored | {name for name, lacking in self.not_predicted.items() if lacking})

    def _cases_of(self, prediction: str) -> list[tuple[Any, Document]]:
        return [
            (case_of(self.rows[series]), one["predictions"][prediction])
            for series, one in self.evaluated.items()
            if prediction in one["predictions"]
        ]


@dataclass(frozen=True, slots=True)
class Part:
    """One comparison of a study: where it goes in the release, its tables and figures.

    The first table is the one that is printed.
    """

    title: str
    folder: str
    tables: "Sequence[Table]"
    pictures: "Sequence[Picture]"


def comparison_parts(found: Comparisons) -> list[Part]:
    """Return every comparison of a study, readers first."""
    from lesionary.publish.comparison.agreement import agreement_tables, not_read
    from lesionary.publish.comparison.agreement_figures import agreement_pictures
    from lesionary.publish.comparison.evaluation import evaluation_pictures, evaluation_tables

    parts: list[Part] = []
    agreement = found.agreement()
    if agreement is not None:
        pictures = list(agreement_pictures(agreement))
        tables = agreement_tables(
            agreement, notes=not_read([one["readers"] for one in found.agreed.values()])
        )
        parts.append(Part("Agreement of readers", "agreement/", tables, pictures))
    folders = prediction_folders(found.predictions)
    for name, summary in found.evaluation().items():
        left_out = [_not_predicted_row(series) for series in summary["not_predicted"]]
        tables = evaluation_tables(summary, summary["cases"], left_out=left_out)
        pictures = list(evaluation_pictures(summary["cases"], name))
        parts.append(Part(f"Evaluation of {name}", folders[name], tables, pictures))
    return parts


def _not_predicted_row(series: str) -> Document:
    return {
        "source": series,
        "code": "no_prediction",
        "reason": "there is a reference but no mask of this prediction: it is not scored",
    }


def prediction_folders(names: Sequence[str]) -> dict[str, str]:
    """Give every prediction a folder: its name, less what no file name may hold."""
    folders: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^\w-]+", "-", name).strip("-") or "prediction"
        taken = {folder.lower() for folder in folders.values()}
        folder = f"evaluation/{plain}/"
        n = 2
        while folder.lower() in taken:
            folder, n = f"evaluation/{plain}-{n}/", n + 1
        folders[name] = folder
    return folders
