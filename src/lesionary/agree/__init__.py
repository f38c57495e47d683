"""Stage 6 of 9: reader against reader, tumour by tumour."""
