"""The report of a study: one page that a reader opens first."""

from lesionary.publish.report.data import (
    DroppedRow,
    IgnoredRow,
    LeftOutRow,
    LesionRow,
    Method,
    Methods,
    NamedWindow,
    Note,
    ReportData,
    ReviewState,
    SeriesRow,
    StageRow,
    TruthRow,
)
from lesionary.publish.report.gallery import (
    GalleryItem,
    MeasuredLesion,
    gallery_item,
    pick_for_gallery,
)
from lesionary.publish.report.page import render_report

__all__ = [
    "DroppedRow",
    "GalleryItem",
    "IgnoredRow",
    "LeftOutRow",
    "LesionRow",
    "MeasuredLesion",
    "Method",
    "Methods",
    "NamedWindow",
    "Note",
    "ReportData",
    "ReviewState",
    "SeriesRow",
    "StageRow",
    "TruthRow",
    "gallery_item",
    "pick_for_gallery",
    "render_report",
]
