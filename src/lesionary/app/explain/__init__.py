"""Explain a number: from a published cell back to voxels, masks, readers, model and code."""
