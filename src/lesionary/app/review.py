"""What a reader makes of proposed links and targets: accepted at once, or edited in a table (X5).

Decisions are kept for good in the registry, each with the masks that its lesions' numbers are of.
``respond`` applies them, and is due again when there are more.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING, Any

from lesionary.app.decided import AFFIRMED, DECIDABLE, PROPOSED, decided, founder
from lesionary.app.reader_tables import HINT
from lesionary.app.readers_words import require_reader
from lesionary.app.review_rows import Reviewed, RoleDecision, insert_links, insert_roles
from lesionary.app.stages.respond import RESPOND
from lesionary.core.errors import InputError, WorkflowError
from lesionary.measure.response.faults import RowFault, refuse
from lesionary.measure.response.records import Role
from lesionary.measure.tracks.affirming import Decision, Verdict
from lesionary.measure.tracks.edits import LinkRow, decisions_of, link_rows
from lesionary.measure.tracks.records import COLUMNS, FURTHER_COLUMNS, LinkState

if TYPE_CHECKING:
    from lesionary.app.study import Study

Json = dict[str, Any]

TARGET_COLUMNS = ("subject", "reader", "track", "role", "why", "state")
"""Of the table of targets; ``reader`` is who drew the lesion."""


class ReviewStage(StrEnum):
    """What is reviewed."""

    TRACKS = "tracks"
    TARGETS = "targets"


def stage_of(name: str) -> ReviewStage:
    """Return what a name stands for, or refuse it."""
    if name not in set(ReviewStage):
        raise InputError(f"a stage is {' or '.join(ReviewStage)}, not {name!r}", code="usage")
    return ReviewStage(name)


def review_status(study: "Study") -> Json:
    """Return what awaits a reader, by subject."""
    subjects = [_status_of(one) for one in reviewed_subjects(study)]
    awaiting = {
        stage.value: sum(row[stage.value][PROPOSED] for row in subjects) for stage in ReviewStage
    }
    return {"awaiting": awaiting, "subjects": subjects}


def _status_of(one: Reviewed) -> Json:
    links = Counter(link.state.value for link in one.before.tracks.links)
    roles = Counter(
        one.before.role_state(role) for role in one.before.seen.roles if role.role in DECIDABLE
    )
    return {
        "subject": one.name,
        "state": one.before.state,
        **{
            stage.value: {state: counts[state] for state in (PROPOSED, AFFIRMED)}
            for stage, counts in ((ReviewStage.TRACKS, links), (ReviewStage.TARGETS, roles))
        },
        "stale_decisions": one.before.stale.total(),
    }


def accept(study: "Study", stage: str, reader: str, subject: str | None = None) -> Json:
    """Affirm every proposal that awaits a reader.

    Parameters
    ----------
    study : Study
    stage : {"tracks", "targets"}
    reader : str
        Who affirms.
    subject : str, optional
        Of one subject only, such as ``sub-0001``.

    Raises
    ------
    InputError
        If the reader has no proper name.
    WorkflowError
        Code ``nothing_to_review``: no such subject is followed and up to date.
    """
    kind, reader = stage_of(stage), require_reader(reader)
    found = _some_subjects(study, subject)
    for one in found:
        if kind is ReviewStage.TRACKS:
            one.links = [
                Decision(Verdict.AFFIRM, link.from_place, link.to_place, reader)
                for link in one.before.tracks.links
                if link.state is not LinkState.AFFIRMED
            ]
        else:
            one.roles = list(_proposed_roles(one, reader))
    return _record(study, kind, reader, found)


def _proposed_roles(one: Reviewed, reader: str) -> Iterator[RoleDecision]:
    before = one.before
    for role in before.seen.roles:
        if role.role in DECIDABLE and before.role_state(role) == PROPOSED:
            place = founder(before.tracks, before.lesions, role.track, role.reader)
            if place is not None and role.role is not None:
                yield RoleDecision(place, role.role, reader)


def export_table(study: "Study", stage: str) -> str:
    """Return the proposals as CSV, with what readers decided of them, for a reader to edit."""
    kind = stage_of(stage)
    found = _some_subjects(study, None)
    text = StringIO()
    if kind is ReviewStage.TRACKS:
        links = csv.DictWriter(text, (*COLUMNS, *FURTHER_COLUMNS), lineterminator="\n")
        links.writeheader()
        links.writerows(link.to_row() for one in found for link in one.before.tracks.links)
    else:
        targets = csv.DictWriter(text, TARGET_COLUMNS, lineterminator="\n")
        targets.writeheader()
        targets.writerows(row for one in found for row in _target_rows(one))
    return text.getvalue()


def _target_rows(one: Reviewed) -> Iterator[Json]:
    for role in one.before.seen.roles:
        values = (
            one.name,
            role.reader,
            role.track,
            role.role.value if role.role else "",
            role.reason,
            one.before.role_state(role),
        )
        yield dict(zip(TARGET_COLUMNS, values, strict=True))


def import_table(study: "Study", stage: str, text: str, reader: str) -> Json:
    """Take an edited table back as decisions.

    Parameters
    ----------
    study : Study
    stage : {"tracks", "targets"}
    text : str
        CSV with the columns that :func:`export_table` writes, in any order; of links also
        ``tracks.csv`` of a release. What a row does not name is not decided.
    reader : str
        Who edited it.

    Raises
    ------
    InputError
        Code ``bad_rows``, with every bad row and its line; nothing is then stored.
    """
    from lesionary.ingest.sidecars import read_table

    kind, reader = stage_of(stage), require_reader(reader)
    subjects = {one.name: one for one in _some_subjects(study, None)}
    faults: list[RowFault] = []
    if kind is ReviewStage.TRACKS:
        ends = [f"{end}_{name}" for end in ("from", "to") for name in ("timepoint", "series",
                "lesion")]  # fmt: skip
        _edit_links(subjects, link_rows(read_table(text, ["subject", *ends]), faults), reader,
                    faults)  # fmt: skip
    else:
        table = read_table(text, ["subject", "track", "role"])
        _edit_roles(subjects, table, reader, faults)
    refuse(faults, HINT)
    return _record(study, kind, reader, list(subjects.values()))


def _edit_links(
    subjects: Mapping[str, Reviewed],
    rows: Iterable[tuple[str, LinkRow]],
    reader: str,
    faults: list[RowFault],
) -> None:
    by_subject: dict[str, list[LinkRow]] = {}
    for subject, row in rows:
        if subject in subjects:
            by_subject.setdefault(subject, []).append(row)
        else:
            faults.append(RowFault(row.line, "no such subject is followed here"))
    for subject, own in by_subject.items():
        found, wrong = decisions_of(subjects[subject].before.tracks, own, reader)
        subjects[subject].links = [one.decision for one in found]
        faults += wrong


def _edit_roles(
    subjects: Mapping[str, Reviewed],
    table: Iterable[tuple[int, dict[str, str]]],
    reader: str,
    faults: list[RowFault],
) -> None:
    seen: set[tuple[str, str, str]] = set()
    for line, row in table:
        key = (row["subject"], row.get("reader", ""), row["track"])
        one = subjects.get(key[0])
        found = "no such subject is followed here"
        if one is not None:
            found = "another row is about this track" if key in seen else _edit_role(one, row,
                    reader)  # fmt: skip
        seen.add(key)
        if found:
            faults.append(RowFault(line, found))


def _edit_role(one: Reviewed, row: Mapping[str, str], reader: str) -> str:
    """Take one row of targets; return what is wrong with it."""
    before, drawn_by = one.before, row.get("reader", "")
    known = [r for r in before.seen.roles if (r.track, r.reader) == (row["track"], drawn_by)]
    if not known:
        return "no such track of this subject and reader"
    (role,) = known
    is_same = row["role"] == (role.role.value if role.role else "")
    if is_same and (role.role not in DECIDABLE or before.role_state(role) == AFFIRMED):
        return ""
    if role.role is Role.NEW:
        return "the lesion was not there at the baseline: it is new"
    if row["role"] not in DECIDABLE:
        return f"role is {' or '.join(sorted(DECIDABLE))}"
    place = founder(before.tracks, before.lesions, role.track, role.reader)
    if place is not None:
        one.roles.append(RoleDecision(place, Role(row["role"]), reader))
    return ""


def reviewed_subjects(study: "Study") -> Iterator[Reviewed]:
    """Yield every subject that is followed and up to date."""
    for page in RESPOND.pages(study):
        for work in RESPOND.plan(study, page):
            yield Reviewed(work.request, decided(work.request))


def _some_subjects(study: "Study", subject: str | None) -> list[Reviewed]:
    found = [one for one in reviewed_subjects(study) if subject in {None, one.name}]
    if not found:
        what = "nothing is followed yet" if subject is None else "no such subject is followed"
        raise WorkflowError(
            f"{what}, or it is out of date",
            code="nothing_to_review",
            hint="`lesionary run STUDY` follows lesions, and does again what changed",
        )
    return found


def _record(study: "Study", kind: ReviewStage, reader: str, found: Sequence[Reviewed]) -> Json:
    """Store decisions in one transaction, and say what was decided."""
    changed = [one for one in found if one.links or one.roles]
    if changed:
        with study.registry.writing(why=f"{kind.value} were reviewed") as transaction:
            for one in changed:
                insert_links(transaction, one)
                insert_roles(transaction, one)
    rows = [
        {"subject": one.name, "decisions": dict(sorted(_counted(one).items()))} for one in changed
    ]
    n = sum(len(one.links) + len(one.roles) for one in changed)
    return {"stage": kind.value, "reader": reader, "decisions": n, "subjects": rows}


def _counted(one: Reviewed) -> Counter[str]:
    return Counter([decision.verdict.value for decision in one.links]) + Counter(
        [decision.role.value for decision in one.roles]
    )
