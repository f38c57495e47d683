"""Lesions through time (X5): which tumour of one visit is which of the next."""
