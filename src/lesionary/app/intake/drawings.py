"""Place what was drawn on images: RTSTRUCT, SEG, mask files, boxes.

Every drawing becomes label maps on its image's exact grid, with texts of the vocabulary only, or a
finding that says why not. Nothing of a name, a UID or a path goes further than this module.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lesionary.app.intake.images import Admitted
from lesionary.app.intake.journal import Journal
from lesionary.app.intake.left_out_images import LeftOutImages
from lesionary.app.intake.named_images import NamedImages, box_problem
from lesionary.app.intake.overlay import Drawing, as_finding, lay_on, read_drawing
from lesionary.core.annotation import GIVEN
from lesionary.core.errors import LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.terms import LESION
from lesionary.core.volume import Geometry, LabelMap
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.labels import LabelRules, label_of, unknown_labels
from lesionary.ingest.pairing import MaskEntry
from lesionary.ingest.place import folder_of
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.reference_clues import clues_of
from lesionary.ingest.references import match
from lesionary.ingest.series import SeriesSummary
from lesionary.ingest.sidecars import parse_boxes, parse_label_texts
from lesionary.ingest.structures import References
from lesionary.io.limits import Limits
from lesionary.io.objects import ObjectStore
from lesionary.io.sources import SourceFile


@dataclass(frozen=True, slots=True)
class PlacedMask:
    """A label map of an image, in the store."""

    series_key: str
    number: int
    object_id: str
    author: str
    method: str | None

    @property
    def content(self) -> tuple[str, str, str]:
        """What another shares that shows the same voxels of the same image by the same hand."""
        return (self.series_key, self.object_id, self.author)


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box of an image: bounds are k0, k1, j0, j1, i0, i1, half-open."""

    series_key: str
    number: int
    name: str
    label: str
    bounds: tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A drawing whose references are keyed as the study's UIDs are."""

    references: References
    lies_on: Callable[[Geometry], bool]


@dataclass(slots=True)
class DrawingTable:
    """Where drawings are laid on images.

    Parameters
    ----------
    images : sequence of SeriesSummary
        Every image of the study, this ingest's included, with keyed UIDs.
    left_out : sequence of LeftOutImages
        Images that came and are not in: what was drawn on them lies on no other.
    """

    images: Sequence[SeriesSummary]
    store: ObjectStore
    pseudonyms: Pseudonymiser
    rules: LabelRules
    journal: Journal
    limits: Limits
    left_out: Sequence[LeftOutImages] = ()
    masks: list[PlacedMask] = field(default_factory=list)
    boxes: list[PlacedBox] = field(default_factory=list)
    twins: dict[int, int] = field(default_factory=dict)
    """Sources that draw what another draws, by number, with that other's."""
    _drawn: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def place_dicom(self, header: InstanceHeader) -> None:
        """Read one RTSTRUCT or SEG and lay it on its image."""
        faults = [fault for fault in header.faults if fault.outcome is Outcome.LEFT_OUT]
        if faults:
            self.journal.refuse(header.number, faults)
            return
        try:
            drawing = read_drawing(header, self.limits)
            image = self._image_of(drawing, header)
            if image is None:
                return
            overlay = lay_on(drawing, image.geometry.without_frame(), self.rules)
        except LesionaryError as error:
            self.journal.refuse(header.number, [as_finding(error)])
            return
        key = str(image.identity.series_instance_uid)
        self.journal.note(key, header.number, overlay.notes)
        self.journal.refuse(header.number, overlay.refusals)
        for method, label_map in overlay.label_maps:
            self._store(key, header.number, label_map, GIVEN, method)

    def place_file(
        self, entry: MaskEntry, sources: Mapping[int, SourceFile], image: Admitted
    ) -> None:
        """Read one mask file and lay it on the image it is paired with."""
        from lesionary.ingest.file_gate import label_map_on
        from lesionary.io.image_file import read_image_file

        try:
            texts = self._texts(entry, sources)
            read = read_image_file(sources[entry.number].path, limits=self.limits)
            label_map, rounded = read.as_label_map()
            label_map, turned = label_map_on(label_map, image.summary.geometry)
        except LesionaryError as error:
            self.journal.refuse(entry.number, [as_finding(error)])
            return
        self.journal.note(image.key, entry.number, [*rounded, *turned])
        texts = {**label_map.labels, **texts}
        named = {
            value: self._label(texts.get(value, entry.label or ""))
            for value in _values_of(label_map)
        }
        self._note_unknown(image.key, entry.number, [*texts.values(), entry.label or ""])
        author = entry.reader or GIVEN
        if entry.reader:
            self._note_reader(image.key, entry.number, entry.reader)
        method = "MANUAL" if entry.reader else None
        self._store(image.key, entry.number, replace(label_map, labels=named), author, method)

    def place_boxes(self, source: SourceFile, named: NamedImages) -> None:
        """Read one ``boxes.csv`` and give each row to the image it names."""
        try:
            rows, bad = parse_boxes(source.path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            finding = Finding("bad_box", Outcome.LEFT_OUT, "the table is not UTF-8 text")
            self.journal.refuse(source.number, [finding])
            return
        except LesionaryError as error:
            self.journal.refuse(source.number, [as_finding(error)])
            return
        self.journal.refuse(source.number, bad)
        for row in rows:
            found = named.of(row.image)
            out = None if found else self._called_left_out(row.image)
            if out is not None:
                reason = f"line {row.line}: {out.finding.reason}"
                finding = replace(out.finding, reason=reason)
                self.journal.refuse(source.number, [finding], by_rule=out.by_rule)
                continue
            problem = box_problem(found, row)
            if problem is not None:
                self.journal.refuse(source.number, [problem])
                continue
            k, j, i = row.box
            key = str(found[0].identity.series_instance_uid)
            self._note_unknown(key, source.number, [row.label])
            self.boxes.append(
                PlacedBox(
                    key,
                    source.number,
                    self.pseudonyms.new_uid("box", key, row.lesion),
                    self._label(row.label),
                    (k.start, k.stop, j.start, j.stop, i.start, i.stop),
                )
            )

    def _called_left_out(self, name: str) -> LeftOutImages | None:
        key = self.pseudonyms.uid(name)
        return next((out for out in self.left_out if out.has(name, key)), None)

    def _note_unknown(self, key: str, number: int, texts: Iterable[str]) -> None:
        """Say that the vocabulary does not know some labels; what they say is private."""
        unknown = [LESION for text in texts if text and self._label(text) == LESION != text]
        self.journal.note(key, number, unknown_labels(unknown))

    def _note_reader(self, key: str, number: int, reader: str) -> None:
        """Say that a further reader drew an image: one reader's lesions are measured."""
        others = {mask.author for mask in self.masks if mask.series_key == key} - {GIVEN, reader}
        if len(others) == 1:
            finding = Finding(
                "several_readers",
                Outcome.WARNED,
                "more than one reader drew this image: the first by name is measured, the others"
                " are kept for agreement",
            )
            self.journal.note(key, number, [finding])

    def _image_of(self, drawing: Drawing, header: InstanceHeader) -> SeriesSummary | None:
        keyed = _Keyed(
            self._keyed(drawing.references),
            # The study's frames have keyed names: frames are compared by the references above.
            lambda geometry: drawing.lies_on(geometry.without_frame()),
        )
        out = self._named_left_out(keyed.references)
        if out is None:
            left_out = [(image, one) for one in self.left_out for image in one.images]
            uid = header.study_instance_uid
            found = match(
                keyed,
                [*self.images, *(image for image, _ in left_out)],
                folder=folder_of(header),
                clues=clues_of(
                    drawing, header, study_instance_uid=self.pseudonyms.uid(uid) if uid else None
                ),
            )
            if isinstance(found, Finding):
                self.journal.refuse(header.number, [found])
                return None
            if found.image < len(self.images):
                image = self.images[found.image]
                if found.note is not None:
                    key = str(image.identity.series_instance_uid)
                    self.journal.note(key, header.number, [found.note])
                return image
            out = left_out[found.image - len(self.images)][1]
        self.journal.refuse(header.number, [out.finding], by_rule=out.by_rule)
        return None

    def _named_left_out(self, references: References) -> LeftOutImages | None:
        """Return the images that are out where a drawing names one of them, and none that is in."""
        for image in self.images:
            identity = image.identity
            if identity.series_instance_uid in references.series_instance_uids:
                return None
            if not references.sop_instance_uids.isdisjoint(identity.sop_instance_uids):
                return None
        return next((out for out in self.left_out if out.are_named_by(references)), None)

    def _keyed(self, references: References) -> References:
        uid = self.pseudonyms.uid
        return References(
            frozenset(map(uid, references.sop_instance_uids)),
            frozenset(map(uid, references.series_instance_uids)),
            frozenset(map(uid, references.frame_of_reference_uids)),
            {uid(name): frame for name, frame in references.last_frames.items()},
        )

    def _texts(self, entry: MaskEntry, sources: Mapping[int, SourceFile]) -> dict[int, str]:
        if entry.labels_file is None:
            return {}
        try:
            text = sources[entry.labels_file].path.read_text(encoding="utf-8-sig")
            return parse_label_texts(text)
        except UnicodeDecodeError:
            finding = Finding("bad_labels", Outcome.LEFT_OUT, "the labels are not UTF-8 text")
            self.journal.refuse(entry.labels_file, [finding])
        except LesionaryError as error:
            self.journal.refuse(entry.labels_file, [as_finding(error, code="bad_labels")])
        return {}

    def _label(self, text: str) -> str:
        return label_of(text, is_tumour=True, rules=self.rules)

    def _store(
        self, key: str, number: int, label_map: LabelMap, author: str, method: str | None
    ) -> None:
        object_id = self.store.put_label_map(label_map)
        mask = PlacedMask(key, number, object_id, author, method)
        twin = self._drawn.setdefault(mask.content, number)
        if twin == number:
            self.masks.append(mask)
            return
        self.twins[number] = twin
        of, own = self.journal.token(twin), self.journal.token(number)
        reason = f"{own} draws what {of} draws, voxel for voxel: one is kept"
        self.journal.note(key, number, [Finding("duplicate_identical", Outcome.FIXED, reason)])


def _values_of(label_map: LabelMap) -> list[int]:
    import numpy as np

    return [int(value) for value in np.unique(label_map.array) if value]
