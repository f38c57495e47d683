"""Leaks between what trains and what tests, by the splits drawn and the folders given."""

from typing import TYPE_CHECKING

from lesionary.app.verify.report import VerifyReport

if TYPE_CHECKING:
    from lesionary.app.study import Study

_JUDGED_BY = ("split/", "declared_set/")


def verify_leakage(study: "Study", report: VerifyReport) -> None:
    """Check every split of the study and what its user declared."""
    from lesionary.app.leakage import check_leakage

    with report.section("leakage"):
        if any(row["unit"].startswith(_JUDGED_BY) for row in report.failed):
            reason = "rows of splits or declared sets were changed: nothing can be said of leaks"
            report.fail("leakage", "not_checked", reason)
            return
        for one in check_leakage(study).splits:
            unit = "leakage" if one.split is None else f"leakage/{one.split}"
            for leak in one.leaks.shown:
                report.fail(unit, "leakage", leak.sentence())
            n_more = one.leaks.n_pairs - len(one.leaks.shown)
            if n_more > 0:
                report.fail(unit, "leakage", f"and {n_more} more pairs")
        _check_folders(study, report)


def _check_folders(study: "Study", report: VerifyReport) -> None:
    """Compare what came from a layout's folders for training with what came from those for tests.

    A subject in both is no fault of what is measured, but of every score on these folders.
    """
    from lesionary.io.registry.checks import shared_by_subsets

    with study.registry.reading() as connection:
        for what, names in shared_by_subsets(connection):
            reason = f"the folders train and test, as they were given, share {what}"
            report.fail("leakage/folders", "leakage", f"{reason}: {', '.join(names)}")
