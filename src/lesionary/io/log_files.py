"""The study's log: JSON lines without values, so that nothing of a patient gets into it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lesionary.io.durable import writing

LOGGER = "lesionary"


class _Line(logging.Formatter):
    """One JSON object a record: what happened, and the fields that the caller chose."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = getattr(record, "fields", {})
        entry = {"level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(entry | fields, ensure_ascii=False)


@contextmanager
def logging_to(folder: Path) -> Iterator[None]:
    """Write the records of ``lesionary`` to a file in ``folder`` for as long as the block lasts."""
    with writing():
        folder.mkdir(exist_ok=True)
        handler = logging.FileHandler(folder / "study.jsonl", encoding="utf-8")
    logger = logging.getLogger(LOGGER)
    handler.setFormatter(_Line())
    previous = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(previous[0])
        logger.propagate = previous[1]
        handler.close()
