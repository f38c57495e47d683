"""What the headers of a DICOM series say to curation, before a pixel is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from lesionary.ingest.curation.facts import SeriesFacts, technical_facts
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.region import Region, region_of_words
from lesionary.ingest.series import Json


def facts_of_headers(
    slices: Sequence[InstanceHeader], technical: Mapping[str, Json], **names: Any
) -> SeriesFacts:
    """Return the facts of a series that the gate lets in.

    Parameters
    ----------
    slices : sequence of InstanceHeader
        At least one; none is missing between them.
    technical : mapping of str to JSON values
        What all slices agree on.
    **names
        ``series``, ``study``, ``subject`` and ``frame_of_reference``, as the study keys them.
    """
    first = slices[0]
    facts = technical_facts(technical) | {
        "modality": first.modality,
        "region": region_of_header(first, technical),
        "description": first.series_description or None,
        "study_description": first.study_description or None,
        "image_type": first.image_type or None,
        "n_slices": len(slices),
        "is_complete": True if len(slices) > 1 else None,
        "series_number": first.series_number,
    }
    return SeriesFacts(**names, **facts)


def region_of_header(first: InstanceHeader, technical: Mapping[str, Json]) -> Region | None:
    """Return the study's region as the header tells it; None where only the lungs of a CT can."""
    code = str(technical.get("BodyPartExamined") or "")
    words = region_of_words(code, first.series_description)
    return "other" if words is None and first.modality != "CT" else words
