"""A report as PDF: the same page, laid out on A4 by WeasyPrint where that is installed."""

from importlib import import_module

from lesionary.core.errors import PluginUnavailableError

_HINT = (
    "pip install 'lesionary[publish]'; on Debian also "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
)


def report_pdf(html: str) -> bytes:
    """Lay a self-contained page out as PDF.

    Parameters
    ----------
    html : str
        As :func:`~lesionary.publish.response.patient.render_patient_report` writes it. Nothing is
        fetched: of an address that is not ``data:`` nothing is shown.

    Returns
    -------
    bytes
        The same page gives the same bytes with the same WeasyPrint and fonts: no date, no name of
        a machine.

    Raises
    ------
    PluginUnavailableError
        If WeasyPrint or the libraries that it needs are not installed.
    """
    try:
        weasyprint, urls = import_module("weasyprint"), import_module("weasyprint.urls")
    except (ImportError, OSError) as error:
        raise PluginUnavailableError(
            "no PDF can be written without WeasyPrint", hint=_HINT
        ) from error
    fetcher = urls.URLFetcher(allowed_protocols=["data"])
    page = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url="about:blank")
    found: bytes = page.write_pdf()
    return found
