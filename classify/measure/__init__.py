"""Arrays in, numbers out: knows no label names, no files and no models."""
