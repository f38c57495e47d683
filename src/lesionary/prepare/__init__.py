"""Stage 2 of 9: assemble volumes, window them, turn PET into SUV."""
