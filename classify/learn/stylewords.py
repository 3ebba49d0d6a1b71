"""The project's word lists for style rates, from a data file in which the reasons stand."""

import tomllib
from functools import cache
from importlib import resources

from classify.scorer.style import LISTS, StyleWords


@cache
def style_words() -> StyleWords:
    """For each class of words its `terms` and `not_terms`."""
    return {
        name: {
            key: tuple(" ".join(term.split()) for term in entry.get(key, "").split(";") if term.strip())
            for key in LISTS
        }
        for name, entry in _entries().items()
    }


def style_reasons() -> dict[str, str]:
    """For each class of words why its rate may tell framings apart."""
    return {name: entry["reason"] for name, entry in _entries().items()}


@cache
def _entries() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("classify.learn").joinpath("style_words.toml").read_text("utf-8"))
