"""The modalities that DICOM knows (PS3.3 C.7.3.1.1.1), for rules that name them."""

# fmt: off
IMAGES = (
    "CT", "MR", "PT", "CR", "DX", "MG", "US", "XA", "RF", "NM", "RG", "IO", "PX", "XC", "ES", "GM",
    "SM", "DMS", "OP", "OPT", "OPTBSV", "OPTENF", "OPV", "OPM", "OAM", "CFM", "OCT", "OSS", "IVUS",
    "IVOCT", "BI", "BMD", "BDUS", "EOG", "KER", "LEN", "AR", "SRF", "TG", "VA", "HC", "HD", "LS",
    "OT",
)
"""Of images."""

OTHERS = (
    "SEG", "SR", "REG", "RWV", "FID", "PR", "KO", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTIMAGE",
    "RTRECORD", "RTINTENT", "RTSEGANN", "RTRAD", "ANN", "ASMT", "AU", "ECG", "EEG", "EMG", "EPS",
    "RESP", "PLAN", "POS", "DOC", "STAIN", "TEXTUREMAP", "M3D", "SMR", "PA", "CTPROTOCOL", "IOL",
    "XAPROTOCOL", "DG", "LP", "AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA",
    "FS", "MA", "MS", "OPR", "ST", "VF",
)
"""Of what is no image, and of what was retired."""
# fmt: on

MODALITIES = (*IMAGES, *OTHERS)
"""All."""
