"""Place what was drawn on images: RTSTRUCT, SEG, mask files, boxes.

Every drawing becomes label maps on its image's exact grid, with texts of the vocabulary only, or a
finding that says why not. Nothing of a name, a UID or a path goes further than this module.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lesionary.app.intake.candidates import Candidate
from lesionary.app.intake.images import Admitted
from lesionary.app.intake.journal import Journal
from lesionary.app.intake.overlay import as_finding, lay_on, read_drawing
from lesionary.core.annotation import GIVEN
from lesionary.core.errors import LesionaryError
from lesionary.core.findings import Finding, Outcome
from lesionary.core.terms import LESION
from lesionary.core.volume import Geometry, LabelMap
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.labels import LabelRules, label_of
from lesionary.ingest.pairing import MaskEntry
from lesionary.ingest.place import folder_of
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.references import Drawn, image_of
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


IMAGE_RULED_OUT = Finding(
    "orphan_reference", Outcome.LEFT_OUT, "a rule of the protocol left out the image of this"
)


@dataclass(frozen=True, slots=True)
class RuledOut:
    """What rules left out, by keyed UIDs: drawings on it are no fault, and lie nowhere else."""

    series: frozenset[str] = frozenset()
    slices: frozenset[str] = frozenset()
    images: tuple[SeriesSummary, ...] = ()

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "RuledOut":
        """Collect the UIDs of candidates that are out."""
        left_out = list(candidates)
        return cls(
            frozenset(one.key for one in left_out),
            frozenset(uid for one in left_out for uid in one.sop_uids),
            tuple(one.summary for one in left_out if one.summary is not None),
        )

    def has(self, references: References) -> bool:
        """Tell whether a drawing names one of them."""
        return not (
            self.series.isdisjoint(references.series_instance_uids)
            and self.slices.isdisjoint(references.sop_instance_uids)
        )


@dataclass(slots=True)
class DrawingTable:
    """Where drawings are laid on images.

    Parameters
    ----------
    images : sequence of SeriesSummary
        Every image of the study, this ingest's included, with keyed UIDs.
    """

    images: Sequence[SeriesSummary]
    store: ObjectStore
    pseudonyms: Pseudonymiser
    rules: LabelRules
    journal: Journal
    limits: Limits
    ruled_out: RuledOut = field(default_factory=RuledOut)
    masks: list[PlacedMask] = field(default_factory=list)
    boxes: list[PlacedBox] = field(default_factory=list)

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

    def place_boxes(self, source: SourceFile, named: "NamedImages") -> None:
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
            problem = _box_problem(len(found), row.line)
            if problem is None and not row.fits(found[0].geometry.shape):
                size = " × ".join(str(n) for n in reversed(found[0].geometry.shape))
                problem = _bad_box(
                    row.line,
                    "the box reaches beyond its image",
                    f"it has i × j × k = {size} voxels",
                )
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

    def _note_unknown(self, key: str, number: int, texts: Iterable[str]) -> None:
        """Say that the vocabulary does not know some labels; what they say is private."""
        n_unknown = sum(bool(text) and self._label(text) == LESION != text for text in texts)
        if n_unknown:
            reason = (
                f"{n_unknown} label{'s' if n_unknown > 1 else ''} beyond the vocabulary: kept as"
                f" `{LESION}`"
            )
            hint = "write t, m or n, a comma, and a known place; [labels] extra_places adds places"
            self.journal.note(key, number, [Finding("label_unknown", Outcome.WARNED, reason, hint)])

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

    def _image_of(self, drawn: Drawn, header: InstanceHeader) -> SeriesSummary | None:
        keyed = _Keyed(
            self._keyed(drawn.references),
            # The study's frames have keyed names: frames are compared by the references above.
            lambda geometry: drawn.lies_on(geometry.without_frame()),
        )
        found = image_of(keyed, [*self.images, *self.ruled_out.images], folder=folder_of(header))
        if isinstance(found, Finding):
            is_ruled_out = found.code == "orphan_reference" and self.ruled_out.has(keyed.references)
            against = IMAGE_RULED_OUT if is_ruled_out else found
            self.journal.refuse(header.number, [against], by_rule=is_ruled_out)
            return None
        if found >= len(self.images):
            self.journal.refuse(header.number, [IMAGE_RULED_OUT], by_rule=True)
            return None
        return self.images[found]

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
        self.masks.append(PlacedMask(key, number, object_id, author, method))


def _values_of(label_map: LabelMap) -> list[int]:
    import numpy as np

    return [int(value) for value in np.unique(label_map.array) if value]


@dataclass(frozen=True, slots=True)
class NamedImages:
    """Images by what a ``boxes.csv`` may call them.

    Parameters
    ----------
    admitted : sequence of Admitted
        Of this ingest: by file, DICOM folder (or the end of its path), or SeriesInstanceUID.
    known : mapping of str to SeriesSummary
        Of the study, by keyed UID.
    ids : mapping of str to str
        Keyed UIDs by the study's own names, such as ``ser-0003``.
    """

    admitted: Sequence[Admitted]
    known: Mapping[str, SeriesSummary]
    ids: Mapping[str, str]
    pseudonyms: Pseudonymiser

    def of(self, name: str) -> list[SeriesSummary]:
        """Return the images that go by a name: those of the most exact way that fits any."""
        plain = name.replace("\\", "/").removeprefix("./").strip("/")
        key = self.ids.get(name, self.pseudonyms.uid(name))
        ways = (
            [image for image in self.admitted if name in image.names or plain in image.names],
            [image for image in self.admitted if f"/{_folder(image)}".endswith(f"/{plain}")],
            [image for image in self.admitted if f"/{plain}/" in f"/{_folder(image)}/"],
        )
        for images in ways:
            if images:
                return list({image.key: image.summary for image in images}.values())
        return [self.known[key]] if key in self.known else []


def _folder(image: Admitted) -> str:
    return image.summary.identity.folder


_NAME_HINT = "name images by file, DICOM folder, SeriesInstanceUID, or as status does: ser-0001"


def _box_problem(n_images: int, line: int) -> Finding | None:
    if n_images == 0:
        reason = "no image goes by this name"
        return _bad_box(line, reason, _NAME_HINT, code="orphan_reference")
    if n_images > 1:
        reason = f"{n_images} images go by this name"
        return _bad_box(line, reason, _NAME_HINT, code="ambiguous_reference")
    return None


def _bad_box(line: int, reason: str, hint: str, *, code: str = "bad_box") -> Finding:
    return Finding(code, Outcome.LEFT_OUT, f"line {line}: {reason}", hint)
