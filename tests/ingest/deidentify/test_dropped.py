"""The count of words that texts lost: what it tells, and what for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify import dropped as dropped_module
from lesionary.ingest.deidentify.cleaning import Cleaner, Surroundings
from lesionary.ingest.deidentify.dropped import DroppedWords
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.ingest.deidentify.own_sources import own_tokens_of
from lesionary.ingest.deidentify.own_tokens import NOTHING
from lesionary.ingest.deidentify.words import Words
from lesionary.ingest.pseudonym import Pseudonymiser

WORDS = Words()
SERIES, CODE, SEX = 0x0008103E, 0x00180015, 0x00100040
AROUND = Surroundings(DataSet(), ("ISO_IR 192",))


def _told(*values: tuple[int, str, str], own=NOTHING) -> set[tuple[str, str, int, str]]:
    counts = DroppedWords()
    cleaner = Cleaner(WORDS, Pseudonymiser(b"k" * 32), 0, own, counts)
    for tag, vr, text in values:
        cleaner.clean(Element(tag, vr, text.encode()), vr, AROUND)
    return set(counts.rows())


def test_each_word_is_counted_by_its_element_with_the_reason():
    told = _told(
        (SERIES, "LO", "Zyxomab liver Hand"),
        (SERIES, "LO", "CT zyxomab liver"),
        (CODE, "CS", "ZYXOMAB"),
    )
    assert told == {
        ("SeriesDescription", "ZYXOMAB", 2, "not_listed"),
        ("BodyPartExamined", "ZYXOMAB", 1, "not_listed"),
    }
    assert _told((SERIES, "LO", "Zyxomab Hand CT")) == {
        ("SeriesDescription", "ZYXOMAB", 1, "not_listed"),
        ("SeriesDescription", "HAND", 1, "beside"),
    }


def test_a_word_of_the_header_itself_is_called_so():
    header = DataSet()
    header.put(Element(0x00100010, "PN", b"Colon^Zyxa"))
    own = own_tokens_of(header, "1")
    told = _told((SERIES, "LO", "CT Colon Wxyz"), own=own)
    assert ("SeriesDescription", "COLON", 1, "own") in told
    assert ("SeriesDescription", "WXYZ", 1, "not_listed") in told


def test_the_same_value_counts_each_time_though_it_is_cleaned_once():
    assert _told(*[(SERIES, "LO", "CT Qwyx")] * 3) == {
        ("SeriesDescription", "QWYX", 3, "not_listed")
    }


def test_numbers_and_single_letters_are_no_words():
    assert _told((SERIES, "LO", "J. 4711123 12.03.1964")) == set()


@given(st.lists(st.text(max_size=20), max_size=5))
def test_what_was_dropped_and_what_stayed_is_all_there_was(texts):
    counts = DroppedWords()
    for text in texts:
        counts.note(SERIES, text, "", NOTHING)
    n_words = sum(len(dropped_module._WORD.findall(text)) for text in texts)
    n_told = sum(count for _, _, count, _ in counts.rows())
    assert n_told == n_words
    for _, word, _, _ in counts.rows():
        assert not set(word) & set("\t\r\n")


def test_several_threads_lose_no_count():
    counts = DroppedWords()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: counts.note(SERIES, "Qwyx", "", NOTHING), range(500)))
    assert [row[2] for row in counts.rows()] == [500]


def test_there_are_no_more_rows_than_a_vocabulary_has(monkeypatch):
    monkeypatch.setattr(dropped_module, "MOST_ROWS", 2)
    counts = DroppedWords()
    counts.note(SERIES, "Qwyx Qwyy Qwyz Qwyx", "", NOTHING)
    assert Counter(len(row) for row in counts.rows()) == {4: 2}
