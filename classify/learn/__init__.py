"""Arrays to a fitted task, folded into a scorer."""
