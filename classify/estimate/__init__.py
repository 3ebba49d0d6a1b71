"""Predictions and an audit sample to shares of the corpus, with intervals that hold."""
