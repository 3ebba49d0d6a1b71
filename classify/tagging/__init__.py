"""Files of any kind and size to the same rows with predictions, in bounded memory."""
