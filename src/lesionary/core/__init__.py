"""Arrays, meanings and kernels that two stages share: no paths, formats, clock or network."""
