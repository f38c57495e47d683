"""An explanation for people: each published value, and the way back from it, line by line."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lesionary.cli.output import counted

if TYPE_CHECKING:
    from lesionary.app.explain.explanation import Explanation
    from lesionary.app.explain.records import Cell, Hit, Step

_MANY = 4
"""Steps of one kind that are told one by one; more are told together."""

_WIDTH = 12
_DECIMALS = 4
_UNITS = {"_ml": " ml", "_mm": " mm", "_percent": " %"}
_USUAL = ("ingest", "it is due for the first time")
"""Reasons that go without saying."""

_DONE = {
    "prepare": "prepared",
    "annotate": "drawn",
    "measure": "measured",
    "track": "followed",
    "respond": "judged",
    "agree": "compared",
    "evaluate": "scored",
    "publish": "published",
}
_SETTINGS = (
    "diameter", "min_voxels", "min_slices", "keep_largest", "consensus", "window", "suv_factor",
    "redraw", "criteria", "confirm_days", "sd_min_days", "diameters",
)  # fmt: skip
_METHODS = {
    "MANUAL": "by hand",
    "SEMIAUTOMATIC": "semi-automatically",
    "AUTOMATIC": "automatically",
}


def explanation_text(found: "Explanation") -> str:
    """Lay out every hit, with what holds and what does not."""
    parts = []
    if found.n_hits > 1:
        parts.append(f"{found.value} is published in {found.n_hits} places")
    parts += [_hit_text(found, hit) for hit in found.hits]
    more = found.n_hits - len(found.hits)
    if more:
        parts.append(f"… and {more} more: see --json, or --most {found.n_hits}")
    return "\n\n".join(parts)


def _hit_text(found: "Explanation", hit: "Hit") -> str:
    steps = [found.steps[name] for name in hit.path]
    lines = [_headline(hit), f"  {hit.about}"]
    if hit.meaning:
        lines.append(f"  {hit.cell.column}: {hit.meaning}")
    lines.append("")
    for label, texts in _told(found, hit, steps):
        lines += [_line(label if n == 0 else "", text) for n, text in enumerate(texts)]
    return "\n".join([*lines, "", *_verdict(found, hit)])


def _headline(hit: "Hit") -> str:
    cell = hit.cell
    if cell.column is None or cell.text is None:
        return cell.address
    unit = _unit(cell)
    printed = _rounded(cell.text)
    exact = f" ({cell.text})" if printed != cell.text else ""
    return f"{printed or '(empty)'}{unit}   {cell.address}{exact}"


def _unit(cell: "Cell") -> str:
    """Return the unit of a value: its column's, or that which the row names."""
    named = f"_{cell.row.get('unit', '')}" if cell.column == "value" else str(cell.column)
    return next((text for end, text in _UNITS.items() if named.endswith(end)), "")


def _rounded(text: str) -> str:
    """Write a long number with four decimals: the exact one stands behind it."""
    _, point, decimals = text.partition(".")
    is_long = point and len(decimals) > _DECIMALS and decimals.isdecimal()
    return f"{float(text):.{_DECIMALS}f}" if is_long else text


def _line(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}}{text}".rstrip()


def _told(
    found: "Explanation", hit: "Hit", steps: Sequence["Step"]
) -> Iterator[tuple[str, list[str]]]:
    """Yield what there is to say, from the number to the voxels, each under its word."""
    units = [step for step in steps if step.kind == "unit"]
    published = [step for step in steps if step.id in {"release", "unit/publish/release"}]
    yield "published", list(_published(found, published))
    if together := _together(hit.facts):
        yield "rests on", together
    if place := _place(hit):
        yield "voxels", place
    for stage in ("respond", "track", "evaluate", "agree", "measure", "annotate"):
        own = [step for step in units if step.facts["stage"] == stage]
        if own:
            yield _DONE[stage], _units(found, hit, own)
    for kind, label, describe in (
        ("decision", "linked", _decision),
        ("role_decision", "role", _role_decision),
        ("reported_diameter", "reported", _reported),
        ("box", "box", _box),
        ("annotation", "mask", _annotation),
        ("finding", "left out", _finding),
    ):
        own = [step for step in steps if step.kind == kind]
        if own:
            told = [describe(found, step) for step in own]
            yield label, told if len(own) <= _MANY else [_counted_masks(own)]
    own = [step for step in units if step.facts["stage"] == "prepare"]
    if own:
        yield _DONE["prepare"], _units(found, hit, own)
    own = [step for step in steps if step.kind == "series"]
    if own:
        yield "image", _images(found, own)
    if codes := _codes(units):
        yield "code", codes


def _published(found: "Explanation", steps: Sequence["Step"]) -> Iterator[str]:
    release = steps[0]
    event = _event(found, release)
    yield f"{release.facts.get('title') or 'release'}{f', {event}' if event else ''}"


def _together(facts: Mapping[str, Any]) -> list[str]:
    """Say how a row over several units was taken together."""
    if "units" not in facts:
        return []
    named = {
        "n": "value", "n_cases": "image", "n_subjects": "subject", "n_missed": "missed",
        "n_undefined": "undefined", "n_left_out": "left out",
    }  # fmt: skip
    counts = [
        counted(int(facts[name]), word) if word in {"value", "image", "subject"} else
        f"{facts[name]} {word}"
        for name, word in named.items()
        if name in facts
    ]  # fmt: skip
    lines = [", ".join(counts)] if counts else []
    if lesions := facts.get("lesions"):
        shown = ", ".join(lesions[:_MANY]) + (", …" if len(lesions) > _MANY else "")
        lines.append(f"{counted(len(lesions), 'lesion')}: {shown}")
    method = facts.get("interval_method") or facts.get("ci_method")
    if method:
        level = facts.get("confidence") or facts.get("ci_level")
        seed = f", seed {facts['seed']}" if "seed" in facts else ""
        lines.append(f"interval: {method}, {float(level or 0):.0%} over subjects{seed}")
    return lines


def _place(hit: "Hit") -> list[str]:
    row = hit.cell.row
    lines = []
    if "index_kji" in row:
        lines.append(_voxel(row))
    lines += _places(hit.facts.get("places", ()))
    place = hit.facts.get("voxels")
    if place:
        lines.append(_extent(place))
        axes = zip("LPS", place["box_mm"], strict=True)
        lines.append(
            "centres at "
            + ", ".join(f"{axis} {low:g} to {high:g} mm" for axis, (low, high) in axes)
        )
    return lines


def _places(places: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield where each lesion lies that a value rests on."""
    for place in places[:_MANY]:
        if extent := place.get("voxels"):
            yield f"{place['lesion']}: {_extent(extent)}"
    if len(places) > _MANY:
        yield f"… and those of {len(places) - _MANY} more"


def _extent(place: Mapping[str, Any]) -> str:
    sides = zip(("slices", "rows", "columns"), place["box_kji"], strict=True)
    where = ", ".join(f"{name} {first}–{stop - 1}" for name, (first, stop) in sides)
    return f"{counted(place['voxels'], 'voxel')} of {place['voxel_volume_mm3']:.4g} mm³: {where}"


def _voxel(row: Mapping[str, Any]) -> str:
    k, j, i = row["index_kji"]
    text = f"slice {k}, row {j}, column {i}"
    if "point_mm" in row:
        x, y, z = row["point_mm"]
        text += f", at L {x:g}, P {y:g}, S {z:g} mm, {row['intensity']:g} {row['quantity']}"
    return text


def _units(found: "Explanation", hit: "Hit", steps: Sequence["Step"]) -> list[str]:
    if len(steps) > 1:
        names = [step.facts["name"] for step in steps]
        shown = ", ".join(names[:_MANY]) + (", …" if len(names) > _MANY else "")
        return [f"{len(steps)} images: {shown}"]
    (step,) = steps
    facts, inputs = step.facts, step.facts.get("inputs") or {}
    lines = []
    if facts["stage"] == "annotate":
        lines += _maker(hit, facts)
    elif facts["stage"] == "agree":
        lines.append(f"readers {', '.join(inputs.get('readers', {}))}")
    elif facts["stage"] == "evaluate":
        lines.append(f"against {', '.join(inputs.get('references', {}))}")
    elif facts["stage"] == "track":
        lines.append(f"{facts['name']} through {_timepoints(inputs)}")
    inputs = {**inputs, **inputs.get("rules", {})}
    settings = [_setting(name, inputs[name]) for name in _SETTINGS if name in inputs]
    if settings:
        lines.append(", ".join(settings))
    lines.append(_event(found, step))
    return [line for line in lines if line]


def _timepoints(inputs: Mapping[str, Any]) -> str:
    return counted(len(inputs.get("timepoints", ())), "time point")


def _setting(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    return f"{words} {'yes' if value is True else 'no' if value is False else value}"


def _maker(hit: "Hit", facts: Mapping[str, Any]) -> list[str]:
    """Say who or what drew the lesion, and whether anybody has affirmed it."""
    row = hit.facts.get("made", {})
    lines = []
    if row.get("segmenter"):
        lines.append(f"by {row['segmenter']} {row.get('segmenter_version', '')}".rstrip())
        generation = (facts.get("model") or {}).get("generation")
        if generation is not None:
            lines[-1] += f", generation {generation}"
    elif row.get("reader"):
        lines.append(f"by {row['reader']}")
    elif "method" in row:
        lines.append("by somebody who is not named")
    if lines and row.get("method"):
        lines[-1] += f", {_METHODS.get(row['method'], row['method'])}"
    if row.get("state"):
        is_open = row["state"] == "unreviewed"
        lines.append(
            "unreviewed: no reader has affirmed it" if is_open else f"state {row['state']}"
        )
    if facts.get("clean_up"):
        lines.append(f"cleaned up by {'; '.join(facts['clean_up'])}")
    return lines


def _box(found: "Explanation", step: "Step") -> str:
    facts = step.facts
    k0, k1, j0, j1, i0, i1 = facts["bounds"]
    where = f"slices {k0}–{k1 - 1}, rows {j0}–{j1 - 1}, columns {i0}–{i1 - 1}"
    return f"{facts['label']}: {where}; {_came(found, step)}"


def _annotation(found: "Explanation", step: "Step") -> str:
    facts = step.facts
    by = "nobody named" if facts["author"] == "given" else facts["author"]
    how = f", {_METHODS[facts['method']]}" if facts.get("method") in _METHODS else ""
    return f"{by}{how} ({facts['object'][:12]}); {_came(found, step)}"


def _decision(found: "Explanation", step: "Step") -> str:
    facts = step.facts
    ends = (
        f"{facts[f'{end}_series_id']}/{facts.get(f'{end}_lesion', 'none')}"
        for end in ("from", "to")
    )
    return f"{facts['verdict']} {' to '.join(ends)}; {_said(found, step)}"


def _role_decision(found: "Explanation", step: "Step") -> str:
    facts = step.facts
    return f"{facts['series_id']}/{facts['lesion']} is {facts['role']}; {_said(found, step)}"


def _reported(found: "Explanation", step: "Step") -> str:
    facts = step.facts
    return f"{facts['lesion']}: {facts['diameter_mm']} mm; {_said(found, step)}"


def _said(found: "Explanation", step: "Step") -> str:
    event = _event(found, step)
    return f"by {step.facts['reader']}{f', {event}' if event else ''}"


def _finding(found: "Explanation", step: "Step") -> str:
    return f"{step.facts['code']}: {step.facts['reason']}; {_came(found, step)}"


def _came(found: "Explanation", step: "Step") -> str:
    event = _event(found, step)
    return f"came in as {step.facts['source']}{f', {event}' if event else ''}"


def _counted_masks(steps: Sequence["Step"]) -> str:
    authors = Counter(_known_by(step) for step in steps)
    return f"{len(steps)}: " + ", ".join(f"{name} {n}" for name, n in sorted(authors.items()))


def _known_by(step: "Step") -> str:
    names = (step.facts.get(name) for name in ("author", "label", "reader"))
    return next((str(name) for name in names if name is not None), "")


def _images(found: "Explanation", steps: Sequence["Step"]) -> list[str]:
    if len(steps) > 1:
        subjects = {step.facts["subject"] for step in steps}
        return [f"{len(steps)} of {counted(len(subjects), 'subject')}"]
    (step,) = steps
    facts = step.facts
    shape = " × ".join(str(n) for n in facts["shape"])
    spacing = " × ".join(f"{mm:.3g}" for mm in facts["spacing_mm"])
    return [
        f"{facts['id']}: {facts['modality']} of {facts['subject']}, time point"
        f" {facts['timepoint']}, {facts['region']}",
        f"{shape} voxels of {spacing} mm (slices × rows × columns)",
        f"content {facts['object'][:12]}; {_came(found, step)}",
    ]


def _codes(steps: Sequence["Step"]) -> list[str]:
    """Say by which code every step was done; steps of one code on one line."""
    by_code: dict[str, dict[str, None]] = {}
    for step in steps:
        if run := step.facts.get("run"):
            code = f"Lesionary {run['code_version']} (sources {run['code_digest'][:12]})"
            stage = f"{run['stage']} version {run['stage_version']}"
            by_code.setdefault(code, {})[stage] = None
    return [f"{code}: {', '.join(stages)}" for code, stages in by_code.items()]


def _event(found: "Explanation", step: "Step") -> str:
    """Say who did it and when, by the last event that tells of it."""
    events = [event for event in found.looked[step.id].events if event["object"] == step.id]
    if not events:
        return ""
    last = events[-1]
    is_plain = not last["why"] or last["why"].startswith(_USUAL)
    why = "" if is_plain else f": {last['why']}"
    return f"{last['at'][:16].replace('T', ' ')} UTC by {last['actor']} (event {last['seq']}{why})"


def _verdict(found: "Explanation", hit: "Hit") -> list[str]:
    again = [check for check in hit.checks if check.reason.startswith("recomputed:")]
    lines = [f"  {check.what}: {check.reason.partition(': ')[2]}" for check in again if check.holds]
    faults = found.faults_of(hit)
    n_checks = len(hit.checks) + sum(len(found.looked[name].checks) for name in hit.path)
    if not faults:
        return [*lines, f"  Everything on the way holds: {n_checks} checks."]
    lines.append(f"  {len(faults)} of {n_checks} checks on the way do not hold:")
    return lines + [f"    {check.what}: {check.reason}" for check in faults]
