"""Detection and sizes of many cases: counts add up, rates are computed from the sums."""

from collections.abc import Iterable, Sequence

from lesionary.evaluate.as_published import PublishedDetection, detection_differs
from lesionary.evaluate.detection import Detection
from lesionary.evaluate.entries import Entry, label_key
from lesionary.evaluate.lesions import Row
from lesionary.evaluate.means import Document
from lesionary.evaluate.sizes import SizeBin

SUFFIX = "_without_self_compared"


def pooled_detection(held: Sequence[Entry]) -> list[Row]:
    """Add up the counts of all cases, for all labels together (label None) and for each.

    Parameters
    ----------
    held : sequence of Entry
        Those of a mean over references have no counts and are left out.

    Returns
    -------
    list of dict
        Counts and rates, ``n_cases`` they come from, how many of those have a lesion in the
        reference, the same without the ``n_self_compared`` cases, whose lesions are all found, as
        ``…_without_self_compared``, and the authors' counts as ``as_published_…``.
    """
    rows = []
    for name, found in _by_label(held):
        counts = _sum_of([_detection(row["detection"]) for row, _ in found])
        others = [row for row, _ in found if not row["self_compared"]]
        honest = _with_others(
            counts.to_json(), _sum_of([_detection(row["detection"]) for row in others]).to_json()
        )
        published = _sum_of_published(_published(shown["detection"]) for _, shown in found)
        rows.append(
            name
            | {
                "n_cases": len(found),
                "n_cases_with_lesions": sum(
                    row["detection"]["reference_lesions"] > 0 for row, _ in found
                ),
                "n_self_compared": len(found) - len(others),
                "n_cases_without_self_compared": len(others),
                "differs": "; ".join(detection_differs(published, counts)),
            }
            | _with_published(honest, published.to_json())
        )
    return rows


def pooled_sizes(held: Sequence[Entry]) -> list[Row]:
    """Add up the bins of all cases, for all labels together (label None) and for each."""
    rows = []
    for name, found in _by_label(held):
        bins: dict[tuple[float, float | None], SizeBin] = {}
        for row, _ in found:
            for one in map(_size_bin, row["by_size"]):
                edges = one.from_mm, one.to_mm
                bins[edges] = bins[edges].plus(one) if edges in bins else one
        rows += [name | one.to_json() for one in bins.values()]
    return rows


def _by_label(held: Sequence[Entry]) -> list[tuple[Row, list[tuple[Document, Document]]]]:
    """Group whole documents, and their rows by label, each with what the authors would print."""
    whole = [entry.document for entry in held if "rule" in entry.document["detection"]]
    grouped: dict[tuple[bool, str] | None, list[tuple[Document, Document]]] = {
        None: [(document, document["as_published"]) for document in whole]
    }
    for document in whole:
        pairs = zip(document["labels"], document["as_published"]["labels"], strict=True)
        for row, shown in pairs:
            grouped.setdefault(label_key(row), []).append((row, shown))
    return [
        ({"label": key[1] if key else None, "composite": bool(key and key[0])}, found)
        for key, found in grouped.items()
        if found
    ]


def _detection(row: Document) -> Detection:
    return Detection(
        rule=str(row["rule"]),
        reference_lesions=int(row["reference_lesions"]),
        predicted_lesions=int(row["predicted_lesions"]),
        true_positive=int(row["true_positive"]),
        predicted_hits=int(row["predicted_hits"]),
    )


def _published(row: Document) -> PublishedDetection:
    return PublishedDetection(
        int(row["true_positive"]), int(row["false_positive"]), int(row["false_negative"])
    )


def _sum_of(counts: Sequence[Detection]) -> Detection:
    rules = sorted({one.rule for one in counts})
    return Detection(
        rule=" and ".join(rules),
        reference_lesions=sum(one.reference_lesions for one in counts),
        predicted_lesions=sum(one.predicted_lesions for one in counts),
        true_positive=sum(one.true_positive for one in counts),
        predicted_hits=sum(one.predicted_hits for one in counts),
    )


def _sum_of_published(counts: Iterable[PublishedDetection]) -> PublishedDetection:
    listed = list(counts)
    return PublishedDetection(
        sum(one.true_positive for one in listed),
        sum(one.false_positive for one in listed),
        sum(one.false_negative for one in listed),
    )


def _with_others(counts: Row, others: Row) -> Row:
    """Return both in one row, those without self-compared cases by a suffix, with all reasons."""
    others.pop("rule")
    reason = _texts(counts.pop("reason", {})) | {
        f"{name}{SUFFIX}": text for name, text in _texts(others.pop("reason", {})).items()
    }
    row = counts | {f"{name}{SUFFIX}": value for name, value in others.items()}
    return row | {"reason": reason} if reason else row


def _with_published(honest: Row, published: Row) -> Row:
    """Return both in one row, the authors' numbers as ``as_published_…``, with all reasons."""
    reason = _texts(honest.pop("reason", {})) | {
        f"as_published_{name}": text for name, text in _texts(published.pop("reason", {})).items()
    }
    row = honest | {f"as_published_{name}": value for name, value in published.items()}
    return row | {"reason": reason} if reason else row


def _texts(reason: object) -> dict[str, str]:
    return dict(reason) if isinstance(reason, dict) else {}


def _size_bin(row: Document) -> SizeBin:
    return SizeBin(
        from_mm=float(row["from_mm"]),
        to_mm=None if row["to_mm"] is None else float(row["to_mm"]),
        n=int(row["n"]),
        n_hit=int(row["n_hit"]),
        sum_dice=float(row["mean_dice"] or 0.0) * int(row["n"]),
        n_predicted=int(row["n_predicted"]),
        n_predicted_hits=int(row["n_predicted_hits"]),
    )
