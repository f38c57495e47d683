"""How a reader's decisions become rows: the words themselves, and the identities that come of it.

A decision is kept as it was said. Where it affirms a link, the lesion gets its identity, a row
whose id is the TrackingUID's, and the link is kept beside it as it was affirmed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from lesionary.app.decided import Decided
from lesionary.app.stages.respond import RespondRequest
from lesionary.measure.response.records import Role
from lesionary.measure.tracks.affirming import Decision, affirm_what_holds, tracking
from lesionary.measure.tracks.records import LinkState, Place, Proposal
from lesionary.measure.tracks.weaving import Tracks

if TYPE_CHECKING:
    from lesionary.io.registry.transaction import Transaction

Json = dict[str, Any]

_UUID_ROOT = "2.25."


@dataclass(frozen=True, slots=True)
class RoleDecision:
    """One reader's word on one lesion's role."""

    place: Place
    role: Role
    reader: str


@dataclass(slots=True)
class Reviewed:
    """One subject as it is, and what is decided of it now."""

    request: RespondRequest
    before: Decided
    links: list[Decision] = field(default_factory=list)
    roles: list[RoleDecision] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The subject's name in the study."""
        return self.request.subject

    def mask(self, place: Place) -> str:
        """Return the object that a lesion's number is of."""
        return str(self.request.scans[place.series]["mask"])


def insert_links(transaction: "Transaction", one: Reviewed) -> None:
    """Store decisions on links, and the identities that they affirm."""
    from lesionary.io.registry import tables

    first = transaction.next_number(tables.decision.c.id)
    rows = [
        {
            "id": first + n,
            "subject_id": one.name,
            "verdict": decision.verdict.value,
            **_end("from", decision.from_place, one),
            **_end("to", decision.to_place, one),
            "further": [
                {"series": place.series, "lesion": place.lesion, "object": one.mask(place)}
                for place in decision.to
            ],
            "reader": decision.reader,
            "at": transaction.at,
        }
        for n, decision in enumerate(one.links)
    ]
    transaction.insert(tables.decision, rows, action="decided")
    _insert_identities(transaction, one)


def _end(end: str, place: Place, one: Reviewed) -> Json:
    return {
        f"{end}_series_id": place.series,
        f"{end}_lesion": place.lesion,
        f"{end}_object": one.mask(place),
    }


def insert_roles(transaction: "Transaction", one: Reviewed) -> None:
    """Store decisions on roles."""
    from lesionary.io.registry import tables

    first = transaction.next_number(tables.role_decision.c.id)
    rows = [
        {
            "id": first + n,
            "subject_id": one.name,
            "series_id": decision.place.series,
            "lesion": decision.place.lesion,
            "object_id": one.mask(decision.place),
            "role": decision.role.value,
            "reader": decision.reader,
            "at": transaction.at,
        }
        for n, decision in enumerate(one.roles)
    ]
    transaction.insert(tables.role_decision, rows, action="decided")


def _insert_identities(transaction: "Transaction", one: Reviewed) -> None:
    import sqlalchemy as sa

    from lesionary.io.registry import tables

    tracks, _ = affirm_what_holds(one.before.tracks, one.links)
    affirmed = {link.key: link for link in _affirmed(one.before.tracks)}
    new = [link for link in _affirmed(tracks) if affirmed.get(link.key) != link]
    identities = tracking(tracks, one.request.study)
    ids = {link.track: _id_of(identities[_lesion_of(link)].tracking_uid) for link in new}
    query = sa.select(tables.lesion.c.id).where(tables.lesion.c.subject_id == one.name)
    known = set(transaction.connection.execute(query).scalars())
    lesions = [
        {
            "id": ids[track],
            "subject_id": one.name,
            "name": track,
            "label": _label(one, tracks, track),
        }
        for track in ids
        if ids[track] not in known
    ]
    transaction.insert(tables.lesion, lesions, action="affirmed")
    links = [
        {
            "id": str(uuid4()),
            "lesion_id": ids[link.track],
            "from_series_id": link.from_place.series,
            "from_lesion": link.from_place.lesion,
            "to_series_id": link.to_place.series,
            "to_lesion": link.to_place.lesion,
            "relation": link.relation.value,
            "reader": link.reader,
        }
        for link in new
    ]
    transaction.insert(tables.track, links, action="affirmed")


def _affirmed(tracks: Tracks) -> Iterator[Proposal]:
    return (link for link in tracks.links if link.state is LinkState.AFFIRMED)


def _lesion_of(link: Proposal) -> Place:
    """Return the lesion of a link's own track: the earlier one, unless it is new."""
    return link.to_place if link.from_place.lesion is None else link.from_place


def _id_of(tracking_uid: str) -> str:
    return str(UUID(int=int(tracking_uid.removeprefix(_UUID_ROOT))))


def _label(one: Reviewed, tracks: Tracks, track: str) -> str:
    place = next(place for place in tracks.places if tracks.members[place].track == track)
    return one.before.lesions[place].label
