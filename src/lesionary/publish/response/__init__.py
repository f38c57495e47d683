"""Response over time, published: plots, lesion strips, patient reports, CDISC tables."""
