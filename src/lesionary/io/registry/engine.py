"""The registry's database: a file, or a study's schema, whose writers queue at ``head``."""

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from lesionary.core.errors import WorkflowError
from lesionary.io.database.engine import Wording, postgres_engine, sqlite_engine
from lesionary.io.database.waiting import wait_s
from lesionary.io.registry.place import RegistryPlace, wrong_url
from lesionary.io.registry.wording import registry_error

_TRY_EVERY_S = 0.5
_WORDING = Wording(registry_error, partial(wrong_url, "the registry's address cannot be read"))

T = TypeVar("T")


def patiently(work: Callable[[], T]) -> T:
    """Do something with the database; while its server is away, try again for ``wait_s``.

    Raises
    ------
    WorkflowError
        Code ``registry_unreachable`` when the time is over.
    """
    until = time.monotonic() + wait_s()
    while True:
        try:
            return work()
        except WorkflowError as error:
            if error.code != "registry_unreachable" or time.monotonic() > until:
                raise
            time.sleep(_TRY_EVERY_S)


def engine_of(place: RegistryPlace) -> sa.Engine:
    """Return an engine for the registry's place; nothing is connected yet."""
    if place.url is not None:
        return postgres_engine(place.url, place.schema, _WORDING)
    uri = place.reading_uri if place.is_frozen else None
    return sqlite_engine(place.path, _WORDING, frozen_uri=uri)
