"""The driver for PostgreSQL: an extra, so it may not be there."""

from types import ModuleType

from lesionary.core.errors import PluginUnavailableError


def postgres_driver() -> ModuleType:
    """Return psycopg.

    Raises
    ------
    PluginUnavailableError
        Where it is not installed.
    """
    try:
        import psycopg
    except ImportError:
        raise PluginUnavailableError(
            "the driver for PostgreSQL is not installed",
            code="plugin_unavailable",
            hint="pip install 'lesionary[postgres]'",
        ) from None
    return psycopg
