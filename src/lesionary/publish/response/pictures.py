"""All plots of a study's response: one entry for whoever writes a release."""

import re
from collections.abc import Iterable, Iterator, Sequence

from lesionary.publish.comparison.picture import Picture
from lesionary.publish.response.courses import Course, Row, courses_of
from lesionary.publish.response.diameters import diameter_differences, figure_diameters
from lesionary.publish.response.growth_curves import figure_growth
from lesionary.publish.response.spider import figure_spider
from lesionary.publish.response.swimmer import figure_swimmers
from lesionary.publish.response.waterfall import figure_waterfalls


def response_pictures(judged: Iterable[Row], *, is_animal: bool = False) -> tuple[Picture, ...]:
    """Draw every plot that the courses allow.

    Parameters
    ----------
    judged : iterable of mapping
        One a subject, as ``respond`` puts it out.
    is_animal : bool
        Draw growth curves with the humane endpoint, plain and logarithmic.

    Returns
    -------
    tuple of Picture
        ``waterfall``, ``waterfall-volume``, ``spider``, ``swimmer``, ``growth``, ``growth-log``,
        ``reported-diameters``; what has nothing to show is left out. Where several readers judged,
        the first four have one picture a reader, its name behind ``-``; many subjects take
        several pictures, numbered.
    """
    rows = list(judged)
    courses = courses_of(rows)
    readers = list(dict.fromkeys(course.reader for course in courses))
    endings = reader_endings(readers)
    found = [
        picture
        for reader in readers
        for picture in _of_reader(endings[reader], [c for c in courses if c.reader == reader])
    ]
    if is_animal:
        growth = [row for one in rows for row in one.get("growth", ())]
        found += figure_growth("growth", growth, is_animal=True)
        found += figure_growth("growth-log", growth, is_animal=True, is_log=True)
    compared = figure_diameters("reported-diameters", diameter_differences(_reported(rows)))
    return (*found, *([compared] if compared else []))


def _of_reader(ending: str, courses: Sequence[Course]) -> Iterator[Picture]:
    yield from figure_waterfalls(f"waterfall{ending}", courses)
    yield from figure_waterfalls(f"waterfall-volume{ending}", courses, by_volume=True)
    spider = figure_spider(f"spider{ending}", courses)
    if spider:
        yield spider
    yield from figure_swimmers(f"swimmer{ending}", courses)


def _reported(judged: Sequence[Row]) -> Iterator[Row]:
    """Yield each subject's reported diameters, with the subject."""
    for number, one in enumerate(judged):
        subject = next((row["subject"] for row in one.get("responses", ())), str(number))
        for row in one.get("reported", ()):
            yield {**row, "subject": subject}


def reader_endings(readers: Sequence[str]) -> dict[str, str]:
    """Return what tells the readers' pictures apart, fit for names of files.

    Readers whose names come out alike, or empty, are numbered in the given order.

    Examples
    --------
    >>> reader_endings(["Anna B.", "bert"])
    {'Anna B.': '-anna-b', 'bert': '-bert'}
    >>> reader_endings(["anna"])
    {'anna': ''}
    """
    if len(readers) < 2:
        return dict.fromkeys(readers, "")
    plain = {reader: re.sub(r"[^a-z0-9]+", "-", reader.lower()).strip("-") for reader in readers}
    names = list(plain.values())
    return {
        reader: f"-{name}" if name and names.count(name) == 1 else f"-reader{number}"
        for number, (reader, name) in enumerate(plain.items(), 1)
    }
