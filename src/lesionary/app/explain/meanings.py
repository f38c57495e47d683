"""What published columns say, in a sentence each."""

COLUMNS = {
    "voxels": "voxels of the lesion",
    "volume_ml": "voxels times the volume of one voxel",
    "mean_intensity": "mean of the image over the lesion's voxels, in the quantity named beside it",
    "long_axis_mm": "longest distance within one slice, edge to edge",
    "short_axis_mm": "longest chord perpendicular to the long axis, in the same slice",
    "diameter_mm": "RECIST diameter: the long axis of a tumour, the short axis of a lymph node",
    "slice_index": "slice of the long axis, counted from 0 in the image's order",
    "long_axis_points_mm": "ends of the long axis, LPS mm",
    "short_axis_points_mm": "ends of the short axis, LPS mm",
    "timepoint": "visit of the subject, counted from 0 by date",
    "lesion": "number of the lesion in its series, largest first: its value in the mask",
    "label": "kind and place of the lesion, from the allowed words",
    "kind": "tumour or lymph node",
    "quantity": "what a voxel's number means",
    "state": "whether a reader has affirmed the mask",
    "reader": "who drew it",
    "method": "SegmentAlgorithmType: drawn by hand, with help, or by an algorithm",
    "segmenter": "the algorithm that drafted the mask",
    "segmenter_version": "its version",
    "voxels_before": "voxels of the label before the clean-up rule",
    "voxels_after": "voxels of the label after the clean-up rule",
    "volume_ml_before": "volume of the label before the clean-up rule",
    "volume_ml_after": "volume of the label after the clean-up rule",
    "components_before": "26-connected pieces before the clean-up rule",
    "components_after": "26-connected pieces after the clean-up rule",
    "instances": "files that were left out for this reason",
    "age": "age in years at the earliest scan that says it",
    "first_study_date": "date of the subject's first scan, shifted",
    "dice": "Sørensen–Dice coefficient of the two readers",
    "dice_mean": "mean Dice over all pairs of readers",
    "fleiss_kappa": "Fleiss' kappa over the voxels of the whole image",
    "krippendorff_alpha": "Krippendorff's alpha over the voxels of the whole image",
    "volume_difference_ml": "first volume less the second; of a prediction, less the reference",
    "diameter_difference_mm": "first diameter less the second",
    "volume_rmse_ml": "root mean square distance of the readers' volumes from their mean",
    "volume_rmse_percent": "the same in percent of that mean",
    "diameter_rmse_mm": "root mean square distance of the readers' diameters from their mean",
    "volume_from_mean_ml": "the reader's volume less the mean of all readers",
    "staple_sensitivity": "sensitivity against the readers' STAPLE consensus",
    "staple_specificity": "specificity against the readers' STAPLE consensus",
    "dsc": "Sørensen–Dice coefficient of prediction and reference",
    "nsd": "normalized surface Dice at the tolerance beside it",
    "tolerance_mm": "tolerance of the normalized surface Dice",
    "hd95_mm": "95th percentile of surface distances, the larger of both directions",
    "hausdorff_mm": "largest surface distance",
    "mean_surface_distance_mm": "mean distance between the two surfaces",
    "predicted_volume_ml": "volume of the prediction",
    "reference_volume_ml": "volume of the reference",
    "mean": "mean of the metric that the row names",
    "sd": "standard deviation of that metric, n - 1",
    "median": "median of that metric",
    "ci_low": "lower end of the mean's confidence interval",
    "ci_high": "upper end of the mean's confidence interval",
    "bias": "mean of first less second",
    "lower_limit": "lower limit of agreement: bias less 1.96 standard deviations",
    "upper_limit": "upper limit of agreement: bias plus 1.96 standard deviations",
    "agreement": "ICC(2,1): absolute agreement",
    "consistency": "ICC(3,1): consistency",
    "value": "the statistic that the row names, of the measure that it names",
    "n": "values that the row rests on",
    "n_subjects": "subjects behind these values",
    "n_cases": "images behind these values",
    "n_missed": "what somebody missed and somebody else drew",
    "sensitivity": "share of the reference's lesions that were found",
    "precision": "share of the predicted lesions that hit one of the reference's",
    "f1": "harmonic mean of sensitivity and precision",
    "false_negative_rate": "share of the reference's lesions that were missed",
    "true_positive": "reference lesions that were found",
    "false_negative": "reference lesions that were missed",
    "false_positive": "predicted lesions that hit none",
}
"""What a column says, whatever table it stands in."""

_ENDINGS = {
    "_sd": "standard deviation of {}",
    "_n": "how many values {} rests on",
    "_low": "lower end of the interval of {}",
    "_high": "upper end of the interval of {}",
    "_without_missed": "{}, without what somebody missed",
    "_without_self_compared": "{}, without what is compared with itself",
    "_least": "{}, the least of all images",
    "_most": "{}, the most of all images",
}
_BEGINNINGS = {
    "as_published_": "{}, as the authors' notebooks print it",
    "detection_": "of this label: {}",
    "first_": "of the first reader: {}",
    "second_": "of the second reader: {}",
    "missed_by_": "tumours that {} missed",
    "not_read_by_": "images without a mask by {}",
    "n_": "number of {}",
}


def meaning_of(column: str | None) -> str:
    """Return what a column says, or an empty text where it is a word of its own.

    Examples
    --------
    >>> meaning_of("volume_ml")
    'voxels times the volume of one voxel'
    >>> meaning_of("dsc_sd")
    'standard deviation of Sørensen–Dice coefficient of prediction and reference'
    """
    if column is None:
        return ""
    if column in COLUMNS:
        return COLUMNS[column]
    for ending, text in _ENDINGS.items():
        if column.endswith(ending):
            stem = column.removesuffix(ending)
            return text.format(meaning_of(stem) or stem.replace("_", " "))
    for beginning, text in _BEGINNINGS.items():
        if column.startswith(beginning):
            stem = column.removeprefix(beginning)
            return text.format(meaning_of(stem) or stem.replace("_", " "))
    return ""
