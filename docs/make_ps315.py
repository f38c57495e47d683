"""Make the table of confidentiality actions: ``python docs/make_ps315.py TABLE.json``.

``TABLE.json`` is table E.1-1 of DICOM PS3.15 as innolitics/dicom-standard gives it (MIT licence).
Rows that later editions added come from the package dicom-anonymizer (BSD licence), which has the
basic profile's column alone: their options are set here. Both are read for facts; names, order and
columns are ours.

Where the table leaves a choice ("X/Z/D") or gives a sequence or bytes a dummy, the column
``action`` says what we do, and the page ``docs/reference/deidentification.md`` says why. Without
arguments only the page's lists are filled in again.
"""

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CSV = ROOT / "src" / "lesionary" / "ingest" / "deidentify" / "data" / "ps315.csv"
PAGE = Path(__file__).parent / "reference" / "deidentification.md"

HEADER = """\
# DICOM PS3.15 annex E, table E.1-1: what the basic profile and its options do to each attribute.
# Edition 2024e (621 rows); rows marked 2026c are those that later editions added until 2026c.
# Sources: innolitics/dicom-standard (MIT) and dicom-anonymizer 2.1.0 (BSD), read for facts.
# Options of the rows marked 2026c and the column `action` are ours. Made by docs/make_ps315.py.
"""

OPTIONS = {
    "retain_uids": "rtnUIDsOpt",
    "retain_device_identity": "rtnDevIdOpt",
    "retain_institution_identity": "rtnInstIdOpt",
    "retain_patient_characteristics": "rtnPatCharsOpt",
    "retain_full_dates": "rtnLongFullDatesOpt",
    "retain_modified_dates": "rtnLongModifDatesOpt",
    "clean_descriptors": "cleanDescOpt",
    "clean_structured_content": "cleanStructContOpt",
    "clean_graphics": "cleanGraphOpt",
    "retain_safe_private": "rtnSafePrivOpt",
}
"""The table's option columns: our name, and the source's."""

COLUMNS = ["tag", "vr", "name", "basic", "action", *OPTIONS, "edition"]

PLAIN = {
    "X": "remove",
    "Z": "empty",
    "D": "dummy",
    "U": "uid",
    "X/Z": "empty",
    "X/D": "dummy",
    "Z/D": "dummy",
    "X/Z/D": "dummy",
    "X/Z/U*": "recurse",
}
"""What a code means where no choice says otherwise: the mildest that every object allows."""

OPTIONAL = "optional in every image object: nothing has to stand in its place"
CHOICES = {
    "00080012": ("remove", OPTIONAL),
    "00080013": ("remove", OPTIONAL),
    "00080080": ("remove", OPTIONAL),
    "00080082": ("remove", OPTIONAL),
    "00081010": ("remove", OPTIONAL),
    "00181030": ("remove", OPTIONAL),
    "00081072": ("remove", OPTIONAL),
    "0040b020": ("remove", "free text beside a curve; waveforms themselves do not pass"),
    "00081070": ("empty", "must be there, maybe empty, in structure sets and plans"),
    "00700084": ("empty", "must be there, maybe empty, in segmentations and presentations"),
    "00180010": ("empty", "must be there, maybe empty, wherever its module is"),
    "00401101": ("empty", "its codes are those of a person: no item of it can be cleaned"),
    "00081111": (
        "recurse",
        "as below; required in enhanced images",
    ),
    "00081110": (
        "recurse",
        "as below; required, maybe empty, in reports, and never empty elsewhere",
    ),
    "00081140": ("recurse", "holds references, whose UIDs are replaced"),
    "00082112": ("recurse", "holds references, whose UIDs are replaced"),
    "0040a730": ("recurse", "the report itself: each item goes by the same rules"),
    "00700001": ("recurse", "the drawing itself: each item goes by the same rules"),
    "0040a073": (
        "recurse",
        "must have an item: what is in it goes by its own row",
    ),
    "00340001": ("recurse", "must have an item: what is in it goes by its own row"),
    "006a0003": ("uid", "a UID that other groups refer to: replaced like every other"),
    "00401001": ("empty", "must be there, maybe empty, in reports of a request"),
    "00102297": ("empty", "must be there, maybe empty, where the patient is an animal"),
    "00102299": ("empty", "must be there, maybe empty, where the patient is an animal"),
    "300a078e": ("empty", "must be there, maybe empty, in its sequence"),
    "300a0794": ("empty", "must be there, maybe empty, in its sequence"),
    "00700082": ("dummy", "must have a value in presentation states"),
    "00700083": ("dummy", "must have a value in presentation states"),
    "00181078": ("dummy", "must have a value in enhanced PET"),
    "00340002": ("empty", "bytes without a form that a dummy could have"),
    "00340005": ("empty", "bytes without a form that a dummy could have"),
    "00340007": ("empty", "bytes without a form that a dummy could have"),
    "00420011": ("empty", "bytes without a form that a dummy could have"),
    "00720065": ("empty", "bytes without a form that a dummy could have"),
    "0072006d": ("empty", "bytes without a form that a dummy could have"),
    "04000115": ("empty", "bytes without a form that a dummy could have"),
}
"""Our choice where a code leaves one, where a dummy of that kind cannot be, and where an object
would not be valid without an attribute that the table removes."""

TEXT = {"clean_descriptors": "C"}
TIME = {"retain_full_dates": "K", "retain_modified_dates": "C"}
LATER = {
    "00102161": {"retain_patient_characteristics": "K"},
    "00102162": {"retain_patient_characteristics": "C"},
    "00181010": {"retain_device_identity": "K"},
    "00181011": {"retain_device_identity": "K"},
    "003a0020": TEXT,
    "003a0203": TEXT,
    "003a020c": TEXT,
    "00400556": TEXT,
    "0040a034": TIME,
    "0040a035": TIME,
    "0040b034": TIME,
    "0040b036": TIME,
    "0040b03b": TEXT,
    "0040b03f": TEXT,
    "00700006": {"clean_graphics": "C"},
    "300a0054": {"retain_uids": "K"},
}
"""Options of rows that later editions added, by the table's own treatment of their kind."""

LATER_VRS = {
    "SQ": "00081301 00081302 00081303 00081304 00100011 00100014 00100015 00100041 00100043 "
    "00100044 00100046",
    "LT": "00100012 00100013 00100016 00100042 00100045",
    "UR": "00100047 0040e012",
    "UC": "00102162",
    "DT": "0040a034 0040a035 0040b034 0040b036",
    "SH": "0040b03b 0040b03f",
}
"""VRs of attributes that the dictionary at hand does not know yet."""


def rows(source: Path) -> list[dict[str, str]]:
    """Return the whole table, in the order of tags; patterns too: ``60xx3000``."""
    table = [first_row(row) for row in json.loads(source.read_text(encoding="utf-8"))]
    known = {row["tag"] for row in table}
    table += [row for row in later_rows() if row["tag"] not in known]
    return sorted(table, key=lambda row: row["tag"])


def first_row(row: dict[str, Any]) -> dict[str, str]:
    """Return one row of edition 2024e."""
    tag = "odd" if "odd" in row["id"] else row["id"]
    name = re.sub(r"\s*\(see Note \d+\)", "", " ".join(row["name"].split()))
    options = {ours: row.get(theirs, "") for ours, theirs in OPTIONS.items()}
    return finished(tag, name, row["basicProfile"], options, "2024e")


def later_rows() -> list[dict[str, str]]:
    """Return the rows of edition 2026c, as far as they stand for single tags."""
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as later

    source = Path(later.__file__).read_text(encoding="utf-8")
    names = re.findall(r"0x(\w{4}),\s*0x(\w{4}),?\s*\),?\s*#? ?(.*)", source)
    name_of = {(group + element).lower(): name.strip() for group, element, name in names}
    made = []
    for code in PLAIN:
        for group, element, *mask in getattr(
            later, code.replace("/", "_").replace("*", "_STAR") + "_TAGS"
        ):
            if mask:
                continue
            tag = f"{group:04x}{element:04x}"
            made.append(finished(tag, name_of[tag], code, LATER.get(tag, {}), "2026c"))
    return made


def finished(
    tag: str, name: str, basic: str, options: dict[str, str], edition: str
) -> dict[str, str]:
    """Return a row with all its columns."""
    action = CHOICES[tag][0] if tag in CHOICES else PLAIN[basic]
    return {
        "tag": tag,
        "vr": vr_of(tag),
        "name": name,
        "basic": basic,
        "action": action,
        **{option: options.get(option, "") for option in OPTIONS},
        "edition": edition,
    }


def vr_of(tag: str) -> str:
    """Return a tag's first VR; none for a pattern."""
    from pydicom.datadict import dictionary_VR

    if "x" in tag or tag == "odd":
        return ""
    for vr, tags in LATER_VRS.items():
        if tag in tags.split():
            return vr
    return dictionary_VR(int(tag, 16)).split(" or ")[0]


def write_table(source: Path) -> None:
    """Write the CSV."""
    with CSV.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER)
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(source))


def page() -> str:
    """Return the page's text as it is, with the lists as they should be."""
    text = PAGE.read_text(encoding="utf-8")
    text = filled(text, "options", "\n".join(option_lines()))
    return filled(text, "choices", "\n".join(choice_lines()))


def option_lines() -> list[str]:
    """Return the table of options: name, code, whether it is usual, what it does."""
    from lesionary.ingest.deidentify.profile import OPTIONS as METADATA
    from lesionary.ingest.deidentify.profile import Profile

    usual = Profile.default().options
    lines = ["| option | code | default | what it does |", "|---|---|---|---|"]
    for option, about in METADATA.items():
        is_usual = "yes" if option in usual else ""
        lines.append(f"| `{option}` | {about.code[0]} | {is_usual} | {about.description} |")
    return lines


def choice_lines() -> list[str]:
    """Return the table of choices: where the standard leaves one, what we do, why."""
    with CSV.open(encoding="utf-8") as file:
        table = {row["tag"]: row for row in csv.DictReader(line for line in file if line[0] != "#")}
    lines = ["| attribute | table | here | because |", "|---|---|---|---|"]
    for tag in sorted(CHOICES):
        row, (action, why) = table[tag], CHOICES[tag]
        shown = f"({tag[:4].upper()},{tag[4:].upper()}) {row['name']}"
        lines.append(f"| {shown} | {row['basic']} | {action} | {why} |")
    return lines


def filled(text: str, place: str, content: str) -> str:
    """Put content between ``<!-- place -->`` and the next ``<!-- end -->``."""
    marked = re.compile(rf"(<!-- {place} -->\n).*?(<!-- end -->)", re.DOTALL)
    made, n_places = marked.subn(lambda found: f"{found[1]}\n{content}\n\n{found[2]}", text)
    if n_places != 1:
        raise ValueError(place)
    return made


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_table(Path(sys.argv[1]))
    PAGE.write_text(page(), encoding="utf-8")
