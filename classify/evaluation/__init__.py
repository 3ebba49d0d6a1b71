"""Honest scores: cross-validation over events, intervals, baselines, verdicts, and agreement between coders."""
