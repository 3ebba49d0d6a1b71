"""Finished results to something to read: tables, figures, a page; never trains, never predicts."""
