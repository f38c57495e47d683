"""Stage 5 of 9: instances, diameters, volumes and response."""
