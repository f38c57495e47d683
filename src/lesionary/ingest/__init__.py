"""Stage 1 of 9: group files into series and let in only what can be trusted."""
