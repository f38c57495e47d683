"""Which measured lesion a value of a mask that came along has become."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lesionary.app.stage import finished
from lesionary.app.stages.measure import MEASURE

if TYPE_CHECKING:
    from lesionary.app.study import Study


class MeasuredValues:
    """Looks lesions up by the value that they had where they came from; keeps one series at hand.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: "Study") -> None:
        self._study = study
        self._series = ""
        self._numbers: dict[int, set[int]] = {}
        self._mask = ""

    def lesion_of(self, series: Mapping[str, Any], value: int) -> tuple[str, int, str] | None:
        """Return series, number and mask of the lesion that a value is.

        None where the series is not measured, or the value's voxels are no lesion, or several
        masks of the series have the value for different lesions. Of several pieces the one with
        most voxels counts.
        """
        if series["id"] != self._series:
            self._read(series)
        numbers = self._numbers.get(value, set())
        if len(numbers) != 1:
            return None
        (number,) = numbers
        return self._series, number, self._mask

    def _read(self, series: Mapping[str, Any]) -> None:
        import numpy as np

        from lesionary.io.registry import tables

        self._series, self._numbers = series["id"], {}
        measured = finished(self._study, MEASURE, [series]).get(self._series)
        if measured is None:
            return
        self._mask = measured["mask"]
        store = self._study.objects
        lesions = store.get_label_map(self._mask).array
        for row in self._study.registry.rows(tables.annotation, series_id=self._series):
            drawn = store.get_label_map(row["object_id"]).array
            for value in np.unique(drawn[drawn > 0]).tolist():
                counts = np.bincount(lesions[drawn == value])
                counts[0] = 0
                if counts.any():
                    self._numbers.setdefault(value, set()).add(int(counts.argmax()))
