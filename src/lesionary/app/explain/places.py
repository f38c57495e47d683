"""Where the lesions behind a value lie, from which drawings, and whether their voxels are there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lesionary.app.explain.origins import Origins
from lesionary.app.explain.published import Published
from lesionary.app.explain.records import Check, Origin
from lesionary.app.explain.voxels import MADE, drawing_of, drawn_from, extent_of
from lesionary.core.errors import LesionaryError

if TYPE_CHECKING:
    from lesionary.app.study import Study

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Behind:
    """What lies behind a value: facts, the drawings it comes from, and what was looked at."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(slots=True)
class Places:
    """Finds where lesions lie; what was found once is kept."""

    study: "Study"
    release: Published
    origins: Origins
    _found: dict[tuple[str, int], tuple[dict[str, Any], list[str]]] = field(default_factory=dict)

    def behind(self, origin: Origin) -> Behind:
        """Return where the lesion lies that a value is about, or those that it rests on."""
        if origin.lesion is not None and origin.now is not None:
            (series, *_) = origin.series
            place, chosen = self._place_of(series, origin.now)
            made = {"made": {name: origin.now[name] for name in MADE}}
            checks = tuple(self._checks(series, origin.now, place))
            return Behind(place | made, tuple(chosen), checks)
        if origin.members:
            return self._behind_members(origin)
        return Behind()

    def _behind_members(self, origin: Origin) -> Behind:
        facts: list[dict[str, Any]] = []
        chosen: list[str] = []
        checks: list[Check] = []
        for series, lesion in origin.members:
            name = f"{series}/{lesion}"
            measured = self.origins.lineage(series).output("measure", series) or {"lesions": ()}
            row = next((one for one in measured["lesions"] if one["lesion"] == lesion), None)
            judged = self.origins.courses.judged(origin.subjects[0], series, lesion)
            checks.append(_same_check(name, judged, row))
            if row is not None:
                place, drawn = self._place_of(series, row)
                facts.append({"lesion": name, **place})
                chosen += drawn
                checks += self._checks(series, row, place)
        return Behind(
            {"places": facts} if facts else {}, tuple(dict.fromkeys(chosen)), tuple(checks)
        )

    def _place_of(self, series: str, row: Row) -> tuple[dict[str, Any], list[str]]:
        """Return where a lesion lies, and the drawing that it was measured in."""
        key = series, int(row["lesion"])
        if key not in self._found:
            self._found[key] = self._found_place(series, row)
        return self._found[key]

    def _found_place(self, series: str, row: Row) -> tuple[dict[str, Any], list[str]]:
        lineage, store = self.origins.lineage(series), self.study.objects
        measured = lineage.output("measure", series)
        try:
            mask = store.get_label_map(measured["mask"])
            extent = extent_of(mask, int(row["lesion"]))
            annotated = lineage.output("annotate", series)
            drawing = drawing_of(store, mask, row, annotated) if annotated else None
            chosen = drawn_from(store, series, drawing, lineage) if drawing else []
        except LesionaryError:
            return {}, []  # the looks at the objects say what is wrong
        facts: dict[str, Any] = {"voxels": extent} if extent is not None else {}
        if drawing is not None:
            facts["drawing"] = {"layer": drawing.layer, "value": drawing.value, "from": chosen}
        return facts, chosen

    def _checks(self, series: str, row: Row, place: Row) -> Iterator[Check]:
        measured = self.origins.lineage(series).output("measure", series)
        listed = self.release.manifest.get("objects", {}).get(series, {}).get("mask")
        what = "the release was made from this mask"
        if listed == measured["mask"]:
            yield Check(what, holds=True, reason="the manifest names it")
        elif series in self.origins.published:
            yield Check(what, holds=False, reason="the manifest names another: publish again")
        n_seen = (place.get("voxels") or {}).get("voxels")
        if n_seen is None:
            return
        what = "the mask has the lesion's voxels"
        if n_seen == row["voxels"]:
            yield Check(what, holds=True, reason=f"{n_seen} voxels hold its number")
        else:
            n_hidden = row["voxels"] - n_seen
            holds = 0 < n_hidden <= measured["n_hidden_voxels"]
            reason = f"{n_seen} voxels hold its number, {n_hidden} lie under a smaller lesion"
            yield Check(what, holds, reason)


def _same_check(name: str, judged: Row, row: Row | None) -> Check:
    """Tell whether what was judged is what is measured."""
    what = f"lesion {name} was judged as it is measured"
    if row is None:
        return Check(what, holds=False, reason="no such lesion is measured any more: run again")
    differing = [field for field, value in judged.items() if row.get(field) != value]
    if differing:
        reason = f"{', '.join(differing)} differ: the study was measured again since, run it again"
        return Check(what, holds=False, reason=reason)
    return Check(what, holds=True, reason="all that it was judged by is equal")
