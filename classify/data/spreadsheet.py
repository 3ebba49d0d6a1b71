"""Cells that strangers wrote to cells that a spreadsheet can't take for formulas, and back."""

import re

_FORMULA = re.compile(r"'*\s*[-=+@＝＋－＠]")
"""How a formula begins, and what was made safe: else a cell that came with an apostrophe would go without."""
_NUMBER = re.compile(r"\s*[+-]?((\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?%?|inf)\s*")


def safe_cell(value: object) -> object:
    """The value; a text that a spreadsheet might run as a formula comes behind an apostrophe, which it takes for text.

    >>> safe_cell("=HYPERLINK(A1)"), safe_cell("-0.5"), safe_cell("- a dash"), safe_cell(-1)
    ("'=HYPERLINK(A1)", '-0.5', "'- a dash", -1)
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def plain_cell(text: str) -> str:
    """Any text that went through `safe_cell`, as it was.

    >>> plain_cell("'=HYPERLINK(A1)"), plain_cell("'tis")
    ('=HYPERLINK(A1)', "'tis")
    """
    return text[1:] if text.startswith("'") and safe_cell(text[1:]) == text else text
