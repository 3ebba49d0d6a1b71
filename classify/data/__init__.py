"""Files to arrays: documents, passages, labels, events and folds."""
