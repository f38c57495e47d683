"""RECIST 1.1 a second time, slowly: each time point from the whole table, out of the guideline.

Nothing is carried from one time point to the next: every question about the past is asked of the
rows again. Knows tumours, nodes, parts, non-targets, markers and new lesions on CT.
"""

from fractions import Fraction

TABLE_1 = {
    ("CR", "CR"): "CR",
    ("CR", None): "CR",
    ("CR", "NON-CR/NON-PD"): "PR",
    ("CR", "NE"): "PR",
    ("PR", "CR"): "PR",
    ("PR", None): "PR",
    ("PR", "NON-CR/NON-PD"): "PR",
    ("PR", "NE"): "PR",
    ("SD", "CR"): "SD",
    ("SD", None): "SD",
    ("SD", "NON-CR/NON-PD"): "SD",
    ("SD", "NE"): "SD",
    ("NE", "CR"): "NE",
    ("NE", None): "NE",
    ("NE", "NON-CR/NON-PD"): "NE",
    ("NE", "NE"): "NE",
}
ORDER = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]


class Oracle:
    """One subject as one reader saw it; time points are whole numbers."""

    def __init__(self, rows):
        self.rows = rows
        self.times = sorted({int(row.timepoint) for row in rows})

    def at(self, time, lesion):
        return [row for row in self.rows if int(row.timepoint) == time and row.lesion == lesion]

    def names(self, role):
        return sorted({row.lesion for row in self.rows if row.role.value == role})

    def size(self, time, lesion):
        """Millimetres of a lesion, None if not evaluable."""
        sizes = []
        for row in self.at(time, lesion):
            word = row.status.value
            if word == "absent":
                sizes.append(Fraction(0))
            elif word == "not_evaluable" or (word == "present" and row.diameter_mm is None):
                return None
            elif row.diameter_mm is not None:
                sizes.append(Fraction(row.diameter_mm))
            else:
                sizes.append(Fraction(5))
        return sum(sizes) if sizes else None

    def sum(self, time):
        sizes = [self.size(time, lesion) for lesion in self.names("target")]
        return None if None in sizes else sum(sizes)

    def rest(self, time):
        return sum(self.size(time, lesion) or 0 for lesion in self.names("target"))

    def nadir(self, time):
        sums = [self.sum(before) for before in self.times if before < time]
        return min(one for one in sums if one is not None)

    def is_target_gone(self, time, lesion):
        kind = self.at(time, lesion)[0].kind.value
        if kind == "node":
            return self.size(time, lesion) < 10
        return all(row.status.value == "absent" for row in self.at(time, lesion))

    def is_node_or_unseen(self, time, lesion):
        """Whether nothing that was written of a lesion keeps it from being gone."""
        for row in self.at(time, lesion):
            if row.status.value in {"absent", "not_evaluable"}:
                continue
            size = self.size(time, lesion)
            if row.kind.value == "tumour" or (size is not None and size >= 10):
                return False
        return True

    def target(self, time):
        targets = self.names("target")
        if not targets:
            return None
        nadir, baseline = self.nadir(time), self.sum(self.times[0])
        total = self.sum(time)
        if total is not None and all(self.is_target_gone(time, lesion) for lesion in targets):
            return "CR"
        known = self.rest(time) if total is None else total
        if known - nadir >= 5 and (nadir == 0 or (known - nadir) / nadir >= Fraction(1, 5)):
            could_be_gone = total is None and all(
                self.is_node_or_unseen(time, lesion) for lesion in targets
            )
            return "NE" if could_be_gone else "PD"
        if total is None:
            return "NE"
        if (baseline - total) / baseline >= Fraction(3, 10) or self.is_in_response(time):
            return "PR"
        return "SD"

    def is_in_response(self, time):
        """Whether PR or CR of the targets came after their last PD."""
        for before in reversed([one for one in self.times[1:] if one < time]):
            if self.target(before) == "PD":
                return False
            if self.target(before) in {"PR", "CR"}:
                return True
        return False

    def non_target(self, time):
        lesions = self.names("non-target")
        raised = [
            name
            for name in self.names("marker")
            if any(row.status.value == "present" for before in self.times if before <= time
                   for row in self.at(before, name))
        ]  # fmt: skip
        if not lesions and not raised:
            return None
        words = {lesion: [row.status.value for row in self.at(time, lesion)] for lesion in lesions}
        if any("unequivocal_progression" in one for one in words.values()):
            return "PD"
        if any(not one or "not_evaluable" in one for one in words.values()):
            return "NE"
        markers = [[row.status.value for row in self.at(time, name)] for name in raised]
        if ["present"] in markers or any(self.is_disease(time, lesion) for lesion in lesions):
            return "NON-CR/NON-PD"
        return "CR" if all(one == ["absent"] for one in markers) else "NE"

    def is_disease(self, time, lesion):
        for row in self.at(time, lesion):
            if row.status.value in {"absent", "not_evaluable"}:
                continue
            if row.kind.value == "tumour" or row.status.value == "unequivocal_progression":
                return True
            size = self.size(time, lesion)
            if size is None or size >= 10:
                return True
        return False

    def is_sighting(self, time, lesion):
        """Whether a new lesion is seen: a node at 10 mm or more."""
        rows = self.at(time, lesion)
        if not rows or rows[0].status.value in {"absent", "not_evaluable"}:
            return False
        return rows[0].kind.value == "tumour" or (self.size(time, lesion) or 0) >= 10

    def counts(self, time, lesion):
        if not self.is_sighting(time, lesion):
            return False
        if self.at(time, lesion)[0].kind.value == "tumour" or self.size(time, lesion) >= 15:
            return True
        return sum(self.is_sighting(before, lesion) for before in self.times if before <= time) > 1

    def new(self, time):
        return [lesion for lesion in self.names("new") if self.counts(time, lesion)]

    def has_returned(self, time):
        if "CR" not in [self.overall(before) for before in self.times[1:] if before < time]:
            return False
        known = self.names("target") + self.names("non-target")
        return any(self.is_disease(time, lesion) for lesion in known)

    def overall(self, time):
        target, non_target = self.target(time), self.non_target(time)
        if self.new(time) or "PD" in {target, non_target} or self.has_returned(time):
            return "PD"
        return non_target if target is None else TABLE_1[target, non_target]

    def first_progression(self, until):
        for time in self.times[1:]:
            if time <= until and self.overall(time) == "PD":
                return time
        return None

    def progression_timepoint(self, until):
        time = self.first_progression(until)
        if time is None:
            return None
        found = [
            next(one for one in self.times if self.is_sighting(one, lesion))
            for lesion in self.new(time)
        ]
        own = "PD" in {self.target(time), self.non_target(time)} or self.has_returned(time)
        return str(min([*found, *([time] if own else [])]))

    def best(self, until):
        end = self.first_progression(until) or until
        found = {self.overall(time) for time in self.times[1:] if time <= end}
        return next((word for word in ORDER if word in found), None)
