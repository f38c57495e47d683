"""Images that came and are not in: what was drawn on them lies on no other image.

One finding says so of RTSTRUCT, SEG, mask file and box alike: by a rule of the protocol, which is
no fault of the drawing, because the image itself is unsound, or because it is still arriving.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lesionary.app.intake.candidates import Candidate
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.series import SeriesSummary
from lesionary.ingest.structures import References

RULED_OUT = Finding(
    "orphan_reference",
    Outcome.LEFT_OUT,
    "a rule of the protocol left out the image of this",
    "nothing is wrong with it; if its image belongs to the study, change [curate] in study.toml and"
    " ingest both again",
)
UNSOUND = Finding(
    "orphan_reference",
    Outcome.LEFT_OUT,
    "the image of this was left out",
    "see why its image was left out; once that is mended, ingest both again",
)

STILL_ARRIVING = Finding(
    "still_arriving",
    Outcome.IGNORED,
    "the image of this is still being received",
    "once it has come, ingest --received takes both",
)


@dataclass(frozen=True, slots=True, repr=False)
class LeftOutImages:
    """The images that rules, or that the gate, left out, or that are on their way.

    Parameters
    ----------
    finding : Finding
        What is said of a drawing on one of them.
    by_rule : bool
        Whether rules left them out.
    candidates : tuple of Candidate
        Of this ingest.
    series : frozenset of str
        Keyed series UIDs, those of earlier ingests too.
    slices : frozenset of str
        Keyed SOP UIDs, of this ingest.
    """

    finding: Finding
    by_rule: bool = False
    candidates: tuple[Candidate, ...] = ()
    series: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, candidates: Iterable[Candidate], earlier: Iterable[str] = (), *, by_rule: bool
    ) -> "LeftOutImages":
        """Collect candidates that are out, and the series that earlier ingests left out."""
        out = tuple(candidates)
        return cls(
            RULED_OUT if by_rule else UNSOUND,
            by_rule,
            out,
            frozenset([*(one.key for one in out), *earlier]),
            frozenset(uid for one in out for uid in one.sop_uids),
        )

    @property
    def images(self) -> tuple[SeriesSummary, ...]:
        """Where drawings may lie that name no image."""
        return tuple(one.summary for one in self.candidates if one.summary is not None)

    def are_named_by(self, references: References) -> bool:
        """Tell whether a drawing names one of them."""
        return not (
            self.series.isdisjoint(references.series_instance_uids)
            and self.slices.isdisjoint(references.sop_instance_uids)
        )

    def has(self, name: str, key: str) -> bool:
        """Tell whether one of them goes by a name, or by a keyed series UID."""
        return key in self.series or any(
            way(one.names, one.folder, name) for one in self.candidates for way in WAYS
        )


def _by_own_name(names: Iterable[str], _: str, name: str) -> bool:
    return not {name, plain(name)}.isdisjoint(names)


def _by_end_of_folder(_: Iterable[str], folder: str, name: str) -> bool:
    return f"/{folder}".endswith(f"/{plain(name)}")


def _by_part_of_folder(_: Iterable[str], folder: str, name: str) -> bool:
    return f"/{plain(name)}/" in f"/{folder}/"


WAYS = (_by_own_name, _by_end_of_folder, _by_part_of_folder)
"""How a table may call an image, the most exact way first: names, folder, name."""


def plain(name: str) -> str:
    """Write a path as images are named: with slashes, and none at its ends."""
    return name.replace("\\", "/").removeprefix("./").strip("/")
