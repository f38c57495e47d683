"""Stage 7 of 9: evaluate. Model against reference, lesion by lesion, honest and as published."""
