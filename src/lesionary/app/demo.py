"""The demonstration: phantom patients through both protocols, and held against their truth.

A third study has phantom mice, as three readers and a model drew them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.ingest import IngestOptions, IngestReport, ingest_paths
from lesionary.app.pipeline import RunReport, run_until
from lesionary.app.progress import Progress, Silent
from lesionary.app.study import Study
from lesionary.app.truth import TruthFolder, compare_with_truth, write_truth_report
from lesionary.app.verify import verify_target
from lesionary.core.errors import WorkflowError

TITLES = {
    "recist-ct": "Four phantom patients, measured by RECIST on CT",
    "general": "Four phantom patients, with everything that came along",
}


READERS = "readers"
READERS_TITLE = "Phantom mice, as three readers and a model drew them"


@dataclass(frozen=True, slots=True)
class DemoStudy:
    """One study of the demonstration, from input to release."""

    name: str
    protocol: str
    folder: Path
    ingested: IngestReport
    ran: RunReport
    report: Path
    n_checks: int
    truth: tuple[dict[str, Any], ...]
    failed: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Where everything lies."""

    folder: Path
    studies: tuple[DemoStudy, ...]

    def document(self) -> dict[str, Any]:
        """Return one JSON document."""
        return {
            "folder": str(self.folder),
            "studies": [_study_document(study) for study in self.studies],
            "failed": [
                entry
                for study in self.studies
                for entry in [*study.ran.document()["failed"], *study.failed]
            ],
        }

    def text(self) -> str:
        """Say what was done and where to look."""
        lines = []
        for study in self.studies:
            n_series, n_left = len(study.ingested.series), len(study.ingested.left_out)
            lines.append(
                f"{study.name}: {n_series} series in, {n_left} left out with reasons,"
                f" {len(study.ran.lesions)} lesions measured, {study.n_checks} checks passed"
            )
            dices = sorted(row["dice"] for row in study.truth if row["dice"] is not None)
            if dices:
                lines.append(
                    f"  against the phantoms' truth: Dice {sum(dices) / len(dices):.2f} on average"
                    f" ({dices[0]:.2f} to {dices[-1]:.2f}) over {len(dices)} of"
                    f" {len(study.truth)} tumours"
                )
            lines += _compared(study.ran)
            lines.append(f"  release: {study.ran.document().get('release')}")
            lines.append(f"  report{' with truth' if study.truth else ''}: {study.report}")
        return "\n".join(lines)


def _compared(ran: RunReport) -> list[str]:
    """Say how far readers agree, and how near to their consensus a prediction comes."""
    lines = []
    if ran.agreement is not None:
        counts = ran.agreement["counts"][0]
        dice, kappa = (_mean(ran.agreement["summary"], m) for m in ("dice_mean", "fleiss_kappa"))
        lines.append(
            f"  readers: Dice {dice:.2f}, Fleiss' kappa {kappa:.2f} (whole image) over"
            f" {counts['n_tumours']} tumours, {counts['n_missed']} of them missed by somebody"
        )
    for name, found in ran.evaluation.items():
        scores = [row for row in found["scores"] if row["reference"] == "consensus"]
        row = next(row for row in found["detection"] if row["reference"] == "consensus")
        lines.append(
            f"  {name} against their consensus: Dice {_mean(scores, 'dsc'):.2f},"
            f" {row['true_positive']} of {row['reference_lesions']} tumours found"
        )
    return lines


def _mean(rows: list[dict[str, Any]], metric: str) -> float:
    return float(next(row["mean"] for row in rows if row["metric"] == metric))


def run_demo(out: Path, *, seed: int, progress: Progress | None = None) -> DemoResult:
    """Write phantom patients as DICOM, run both protocols over them, and compare with the truth.

    Raises
    ------
    WorkflowError
        If ``out`` is there and not empty.
    """
    from lesionary.io.phantom_files import write_phantom_patients

    if out.exists() and any(out.iterdir()):
        raise WorkflowError(
            "the folder is not empty", hint="name a new one with --out", source=str(out)
        )
    shown = progress or Silent()
    shown.start("phantoms", 1)
    phantoms = write_phantom_patients(out / "phantoms", seed=seed)
    shown.advance("phantoms")
    shown.finish("phantoms")
    truth = TruthFolder(phantoms.truth)
    studies = tuple(
        _run_study(out, protocol, phantoms.scans, truth, shown)
        for protocol in ("recist-ct", "general")
    )
    return DemoResult(out, (*studies, _run_readers(out, seed, shown)))


def _run_readers(out: Path, seed: int, progress: Progress) -> DemoStudy:
    """Compare readers and a model on phantom mice."""
    from lesionary.io.phantom_readers import MODEL, PATTERN, write_reader_scans

    scans = write_reader_scans(out / "phantoms" / READERS, seed=seed)
    folder = out / READERS
    files = Study.create(folder, protocol="general", title=READERS_TITLE).files
    text = files.protocol.read_text(encoding="utf-8")
    named = text.replace("predictions = []", f'predictions = ["{MODEL}"]')
    files.protocol.write_text(named, encoding="utf-8")
    study = Study.open(folder)
    ingested = ingest_paths(study, [scans], IngestOptions(reader_from=PATTERN), progress=progress)
    ran = run_until(study, progress=progress)
    checked = verify_target(folder)
    report = study.files.release / "report.html"
    n_checks, failed = len(checked.done), tuple(checked.failed)
    return DemoStudy(READERS, "general", folder, ingested, ran, report, n_checks, (), failed)


def _run_study(
    out: Path, protocol: str, scans: Path, truth: TruthFolder, progress: Progress
) -> DemoStudy:
    study = Study.create(out / protocol, protocol=protocol, title=TITLES[protocol])
    ingested = ingest_paths(study, [scans], progress=progress)
    ran = run_until(study, progress=progress)
    folders = {token: Path(name).parent.name for token, name in ingested.sources}
    rows = compare_with_truth(study, truth, folders)
    report = out / f"{protocol}.html"
    write_truth_report(study, rows, report)
    checked = verify_target(study.files.root)
    return DemoStudy(
        protocol,
        protocol,
        study.files.root,
        ingested,
        ran,
        report,
        len(checked.done),
        tuple(row.document() for row in rows),
        tuple(checked.failed),
    )


def _study_document(study: DemoStudy) -> dict[str, Any]:
    run = study.ran.document()
    return {
        "name": study.name,
        "protocol": study.protocol,
        "study": str(study.folder),
        "release": run.get("release"),
        "report": str(study.report),
        "series": len(study.ingested.series),
        "left_out": list(study.ingested.left_out),
        "lesions": len(study.ran.lesions),
        "checks_passed": study.n_checks,
        "truth": list(study.truth),
    }
