"""Stage 3 of 9: turn prompts into masks, by segmenters that plug in."""
