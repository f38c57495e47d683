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
    "track": "the lesion through time: its name among those of the subject",
    "part": "which piece of a track that has split",
    "track_state": "whether a reader has affirmed every link and target of the subject",
    "relation": "what became of the lesion between the two time points",
    "score": "how well the two lesions fit, from 0 to 1; of new and gone, how poorly others did",
    "registration": "how the two scans were laid over each other",
    "status": "what was seen of the lesion at this time point",
    "merged_into": "the track that carries the one lesion of a merger",
    "role": "target, non-target or new",
    "why": "why the lesion has this role",
    "sum_mm": "sum of the targets' diameters, recorded to the protocol's precision",
    "measured_sum_mm": "sum of those targets that could be measured",
    "baseline_mm": "the sum at the baseline",
    "nadir_mm": "smallest complete sum before this time point, the baseline included",
    "change_from_baseline_mm": "the sum less that at the baseline",
    "change_from_baseline_percent": "the change from the baseline, in percent of it",
    "change_from_nadir_mm": "the sum less the nadir",
    "change_from_nadir_percent": "the change from the nadir, in percent of it",
    "target_response": "RECIST 1.1 response of the target lesions",
    "non_target_response": "RECIST 1.1 response of all other lesions of the baseline",
    "new_lesion": "whether a new lesion counts at this time point",
    "overall_response": "RECIST 1.1 response of the subject at this time point",
    "best_overall_response": "the best response so far, closed at the first progression",
    "best_overall_response_confirmed": "the best response so far, confirmed by a later scan",
    "progressed": "whether the disease had progressed at or before this time point",
    "progression_timepoint": "when what decided on the progression was first seen",
    "duration_of_response_days": "days from the first response to the progression, or to now",
    "duration_of_response_censored": "whether the response had not ended by now",
    "time_to_progression_days": "days from the baseline to the progression, or to now",
    "time_to_progression_censored": "whether nothing had progressed by now",
    "new_target_sum_mm": "iRECIST: sum of the diameters of new target lesions",
    "i_target_response": "iRECIST response of the target lesions",
    "i_non_target_response": "iRECIST response of all other lesions of the baseline",
    "i_best_overall_response": "the best iRECIST response so far",
    "i_progressed": "whether progression by iRECIST was confirmed at or before this time point",
    "i_progression_timepoint": "when what decided on that progression was first seen",
    "i_overall_response": "iRECIST response of the subject at this time point",
    "target_volume_ml": "volume of all targets together",
    "volumetric_response": "response by the targets' volume instead of their diameters",
    "rate_per_day": "exponential growth rate of the lesion's volume",
    "doubling_days": "days in which the volume doubles at that rate",
    "halving_days": "days in which the volume halves at that rate",
    "day": "days since the first time point",
    "total_ul": "volume of all lesions together, in microlitres",
    "threshold": "the threshold that the lesion lies on both sides of",
    "limit": "the threshold's value",
    "definition": "the definition of size that puts it on the other side",
    "reported": "the size, or the ratio, by the definition that is reported",
    "other": "the same by the other definition",
    "is_joint": "whether only all causes together explain the difference",
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
