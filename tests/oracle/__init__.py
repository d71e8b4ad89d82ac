"""An independent oracle: every number of the catalogue once more, slowly and plainly, to hold the engine against."""
