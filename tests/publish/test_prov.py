"""PROV-JSON that the reference library reads, and writes again the same."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prov.model import ProvDocument

from lesionary.publish.prov import (
    OWN,
    activity,
    agent,
    document,
    entity,
    fresh,
    line_of,
    named,
    relation,
    shared,
)

STUDY = "00000000-0000-4000-8000-000000000000"
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def records(reader: str, value: float):
    image, mask = named("image", "ser-0001"), named("annotation", "a")
    work, code, person = named("unit", "x"), named("lesionary", "1"), named("reader", reader)
    return [
        entity(image, "Series", "CT image", shape=[1, 2, 3], is_odd=True, n=3, value=value),
        entity(mask, "Annotation", f"mask by {reader}", nothing=None),
        activity(work, "Measure", "measure", start="2026-01-01T00:00:00.000+00:00"),
        agent(code, "prov:SoftwareAgent", "Lesionary", version="1"),
        agent(person, "prov:Person", reader),
        relation("used", work, image),
        relation("wasGeneratedBy", mask, work),
        relation("wasDerivedFrom", mask, image),
        relation("wasAssociatedWith", work, code, plan=image),
        relation("wasAttributedTo", mask, person),
        relation("actedOnBehalfOf", code, person, activity=work),
    ]


def parsed(made) -> ProvDocument:
    return ProvDocument.deserialize(content=json.dumps(made), format="json")


@given(reader=words, value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_document_survives_the_reference_library_whatever_names_are(reader, value):
    made = document(STUDY, records(reader, value))
    read = parsed(made)
    again = ProvDocument.deserialize(content=read.serialize(format="json"), format="json")
    assert again == read
    assert len(list(read.get_records())) == 11


@given(words)
def test_names_are_valid_and_tell_everything_apart(word):
    name = named("reader", word)
    assert re.fullmatch(rf"{OWN}:[A-Za-z0-9._%-]+", name)
    assert name != named("reader", word + "x")


def test_the_order_of_records_makes_no_difference():
    made = records("anna", 1.5)
    assert json.dumps(document(STUDY, made)) == json.dumps(document(STUDY, made[::-1]))


def test_what_is_shared_comes_once_and_everything_else_as_often_as_it_is_said():
    person = agent(named("reader", "anna"), "prov:Person", "anna")
    work = shared(activity(named("ingest", 1), "Ingest", "ingest 1"))
    image = entity(named("image", "a"), "Series", "image")
    assert list(fresh([person, work, image, person, work])) == [person, work, image]


def test_a_line_is_a_member_of_its_section():
    record = entity(named("image", "a"), "Series", "image", spacing_mm=[1.0, 0.5])
    member = json.loads(f"{{{line_of(record)}}}")
    assert member == {record.name: record.attributes}


def test_a_number_that_json_does_not_know_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        line_of(entity("lsn:a", "Value", "a", points=[float("nan")]))
