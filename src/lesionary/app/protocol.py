"""The protocol: what each stage does for one kind of study, as a file that its user reads.

``study.toml`` is a protocol copied whole, with a ``[study]`` table on top. A wrong key or value is
an error that names the key, its line, and what is allowed.
"""

import re
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lesionary.core.errors import InputError

Region = Literal["thorax", "abdomen", "thorax_abdomen", "other"]
WindowName = Literal["lung", "abdomen", "bone", "brain", "mediastinum"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class StudySection(_Section):
    """Who this study is."""

    id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    title: str = ""


class RegistrySection(_Section):
    """Where the registry lies, where it is not a file in the study."""

    url: str


class IngestSection(_Section):
    """What enters."""

    keep_uids: bool


class BlankSection(_Section):
    """Where a kind of image carries text in its pixels."""

    modality: str
    rows: int = Field(gt=0)
    columns: int = Field(gt=0)
    regions: list[Annotated[list[int], Field(min_length=4, max_length=4)]] = Field(min_length=1)


def _profile_options(names: list[str]) -> list[str]:
    from lesionary.ingest.deidentify.profile import Profile

    Profile.parse(names)
    return names


ProfileOptions = Annotated[list[str], AfterValidator(_profile_options)]


class DeidentifySection(_Section):
    """What the door lets stay of what is received, beyond the usual (PS3.15 E.3)."""

    options: ProfileOptions = Field(default_factory=list)
    without: ProfileOptions = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    blank: list[BlankSection] = Field(default_factory=list)


def _curation_rule(table: dict[str, Any]) -> dict[str, Any]:
    from lesionary.ingest.curation import rule_of_table

    rule_of_table(table)
    return table


def _modalities(names: list[str]) -> list[str]:
    from lesionary.ingest.curation.grammar import modalities_of

    return modalities_of(names)


class CurateSection(_Section):
    """Which series stay: the two lists first, then the rules in their order (R2, A1)."""

    modalities: Annotated[list[str], AfterValidator(_modalities)]
    regions: list[Region]
    rule: list[Annotated[dict[str, Any], AfterValidator(_curation_rule)]] = Field(
        default_factory=list
    )


class PublishedSection(_Section):
    """What was published by rules like these: ``lesionary idc find`` compares with it."""

    result: str
    description: list[str]
    modality: str
    unit: Literal["series", "pairs"]
    count: int = Field(ge=0)


class LabelsSection(_Section):
    """The words that labels may use."""

    extra_places: list[str]
    lesion_names: list[str]


class WindowsSection(_Section):
    """A window for each region."""

    thorax: WindowName
    abdomen: WindowName
    thorax_abdomen: WindowName
    other: WindowName


class PrepareSection(_Section):
    """How images are shown and fed to models."""

    windows: WindowsSection


def _clean_up_rule(table: dict[str, Any]) -> dict[str, Any]:
    from lesionary.annotate.clean_up import rule_of_table

    rule_of_table(table)
    return table


class AnnotateSection(_Section):
    """Where masks come from, and what is taken off them (M4, A4)."""

    segmenter: str
    given_masks: Literal["keep", "redraw"]
    clean_up: list[Annotated[dict[str, Any], AfterValidator(_clean_up_rule)]] = Field(
        default_factory=list
    )


class MeasureSection(_Section):
    """How lesions are measured (R7, R8)."""

    min_voxels: int = Field(ge=1)
    min_slices: int = Field(ge=1)
    diameter: Literal["caliper", "as_published"]
    recording_precision_mm: float = Field(gt=0, allow_inf_nan=False)
    keep_largest_piece: bool


def _error_model(table: dict[str, Any]) -> dict[str, Any]:
    from lesionary.measure.uncertainty.plan import UncertaintyPlan

    UncertaintyPlan.from_mapping(table)
    return table


class RespondSection(_Section):
    """How response is judged (R10)."""

    criteria: Literal["recist11", "irecist"] = "recist11"
    confirm_days: int = Field(default=28, ge=0)
    sd_min_days: int = Field(default=0, ge=0)
    diameters: Literal["computed", "reported"] = "computed"
    animals: bool = False
    uncertainty: bool = True
    errors: Annotated[dict[str, Any], AfterValidator(_error_model)] = Field(default_factory=dict)


class AgreeSection(_Section):
    """How readers are held against each other (M6, M7)."""

    consensus: Literal["staple", "majority"] = "staple"


def _match_rule(text: str) -> str:
    from lesionary.evaluate.options import MatchRule

    return str(MatchRule.parse(text))


def _ascending(edges_mm: list[float]) -> list[float]:
    if any(low >= high for low, high in pairwise(edges_mm)):
        raise InputError("the edges do not ascend")
    return edges_mm


Millimetres = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class EvaluateSection(_Section):
    """How drafts and predictions are scored against readers (A8)."""

    predictions: list[str] = Field(default_factory=list)
    tolerance_mm: Millimetres = 2.0
    tolerances_mm: dict[str, Millimetres] = Field(default_factory=dict)
    composites: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    match: Annotated[str, AfterValidator(_match_rule)] = "overlap"
    min_voxels: int = Field(default=1, ge=1)
    size_edges_mm: Annotated[
        list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], AfterValidator(_ascending)
    ] = [10.0, 20.0, 30.0]


class PublishSection(_Section):
    """What a release holds."""

    layout: Literal["recist"]
    images_without_lesions: bool
    gallery: int = Field(ge=0)
    split: str = "default"


class Protocol(_Section):
    """Everything a study's stages go by."""

    schema_: Literal[1] = Field(alias="schema")
    name: str
    version: str
    title: str
    study: StudySection | None = None
    registry: RegistrySection | None = None
    ingest: IngestSection
    deidentify: DeidentifySection = Field(default_factory=DeidentifySection)
    curate: CurateSection
    labels: LabelsSection
    prepare: PrepareSection
    annotate: AnnotateSection
    measure: MeasureSection
    respond: RespondSection = Field(default_factory=RespondSection)
    agree: AgreeSection = Field(default_factory=AgreeSection)
    evaluate: EvaluateSection = Field(default_factory=EvaluateSection)
    publish: PublishSection
    published: PublishedSection | None = None


def parse_protocol(text: str, *, source: str) -> Protocol:
    """Read a protocol or a ``study.toml``.

    Raises
    ------
    InputError
        Code ``protocol``: no TOML, an unknown key, a missing one, or a value that is not allowed.
    """
    try:
        return Protocol.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"this is not TOML: {error}", code="protocol", source=source, hint="mend that line"
        ) from None
    except ValidationError as error:
        problems = [_describe(entry, text) for entry in error.errors()]
        raise InputError(
            "; ".join(problems),
            code="protocol",
            source=source,
            hint="the shipped protocols list every key with its allowed values",
        ) from None


def _describe(entry: Any, text: str) -> str:
    path = [str(part) for part in entry["loc"]]
    raised = entry["ctx"]["error"] if entry["type"] == "value_error" else None
    if isinstance(raised, InputError):
        path += [key] if (key := getattr(raised, "key", "")) else []
    line = line_of(path, text)
    key = _key_in_words(path, text)
    where = f"line {line}: " if line else ""
    if isinstance(raised, InputError):
        said = getattr(raised, "problem", "") or f"is refused: {raised.message}"
        return f"{where}`{key}` {said}" + (f" ({raised.hint})" if raised.hint else "")
    if entry["type"] == "extra_forbidden":
        return f"{where}unknown key `{key}`"
    if entry["type"] == "missing":
        return f"{where}key `{key}` is missing"
    expected = entry["msg"].removeprefix("Input should be ")
    if path[0] == "registry":  # an address may hold a password
        return f"{where}`{key}` should be {expected}"
    return f"{where}`{key}` should be {expected}, not {entry['input']!r}"


def _key_in_words(path: list[str], text: str) -> str:
    """Write a key's path with dots; a rule of curation by its place from 1 and its name."""
    if path[:2] != ["curate", "rule"] or len(path) < 3:
        return ".".join(path)
    from lesionary.ingest.curation.grammar import place_in_words

    place = int(path[2])
    table = tomllib.loads(text)["curate"]["rule"][place]
    named = place_in_words(place + 1, table if isinstance(table, dict) else {})
    return ": ".join([named, *path[3:]])


def line_of(path: Sequence[str], text: str) -> int | None:
    """Find the line on which a key stands, or its table begins.

    A number in the path counts the tables of one name: ``[[annotate.clean_up]]``.
    """
    names = [part for part in path if not part.isdigit()]
    skipped = next((int(part) for part in path if part.isdigit()), 0)
    table: list[str] = []
    table_line = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*(\[{1,2})([^\[\]]+)\]", line):
            table = header[2].strip().split(".")
            is_named = table in (names, names[:-1])
            if is_named and header[1] == "[[":
                skipped -= 1
                is_named = skipped == -1
                table = table if is_named else []
            if is_named:
                table_line = number
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            if [*table, key[1]] == names:
                return number
            if [*table, key[1]] == names[:-1]:
                table_line = number
    return table_line
