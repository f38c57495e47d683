"""Keep the network's libraries from talking: what they log and warn of may name a patient.

They log whole command sets, and quote values that break a rule. All of it is silenced for as long
as a receiver runs, in this process.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_SILENT = logging.CRITICAL + 1
_LIBRARIES = ("pynetdicom", "pydicom")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Silence loggers and warnings of pydicom and pynetdicom until the block ends."""
    from pydicom import config
    from pynetdicom import _config as network

    loggers = [logging.getLogger(name) for name in _LIBRARIES]
    levels = [logger.level for logger in loggers]
    reading, handlers = config.settings.reading_validation_mode, network.LOG_HANDLER_LEVEL
    for logger in loggers:
        logger.setLevel(_SILENT)
    config.settings.reading_validation_mode = config.IGNORE
    network.LOG_HANDLER_LEVEL = "none"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = reading
        network.LOG_HANDLER_LEVEL = handlers
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
