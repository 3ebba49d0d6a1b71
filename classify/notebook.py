"""Rows of values to a small HTML table for notebooks: inline style, no script, every text escaped, light or dark."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

LINE = "rgba(128,128,128,.35)"
_CELL = f"padding:.15em .8em .15em 0;border:0;border-bottom:1px solid {LINE};text-align:{{}};vertical-align:top"
_SIDES = {False: "left", True: "right;white-space:nowrap"}
_PLAIN = "background:none;"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()) -> "Markup":
    """A table; the columns named in `numbers` stand to the right. Cells that are Markup stand as they are.

    Nothing in it has a colour of its own, so that it reads on white and on black.

    >>> "&lt;b&gt;" in table(["label"], [["<b>"]])
    True
    """
    sides = [_SIDES[column in numbers] for column in columns]
    head = [_cell("th", column, side) for column, side in zip(columns, sides, strict=True)]
    body = [[_cell("td", value, side) for value, side in zip(row, sides, strict=True)] for row in rows]
    style = "border-collapse:collapse;border:0;margin:.3em 0 .6em;font-size:inherit;color:inherit"
    return _element("table", _joined(_element("tr", _joined(row), _PLAIN) for row in [head, *body] if any(row)), style)


def paragraph(text: object, *, style: str = "") -> "Markup":
    """A paragraph; Markup stands as it is."""
    return _element("p", text, f"margin:.2em 0;{style}")


def bold(text: object) -> "Markup":
    """Bold text."""
    return _element("b", text)


def marked(text: str, strength: float, title: str = "") -> "Markup":
    """Text that speaks for something (above 0: orange, underlined) or against it (blue, dashed), as strongly as shaded.

    `strength` lies in [-1, 1]. The shade is thin enough for the page's own text colour to stay readable on it.
    """
    from markupsafe import Markup

    colour, line = ("230,140,30", "solid") if strength > 0 else ("70,130,220", "dashed")
    style = f"background:rgba({colour},{abs(strength) * 0.45:.2f});color:inherit;"
    style += f"text-decoration:underline {line};text-underline-offset:.2em"
    return Markup('<span title="{}" style="{}">{}</span>').format(title, style, text)


def bar(strength: float) -> "Markup":
    """A bar as long as a strength in [-1, 1] is large, in the colours of `marked`."""
    colour = "230,140,30" if strength > 0 else "70,130,220"
    size = f"display:inline-block;height:.7em;width:{abs(strength) * 6:.2f}em"
    return _element("span", "", f"{size};background:rgba({colour},.7)")


def block(parts: Iterable[object]) -> "Markup":
    """Parts below one another; Markup stands as it is."""
    return _element("div", _joined(parts), "max-width:60em;margin:.3em 0 .8em;color:inherit")


def _cell(tag: str, value: object, side: str) -> "Markup":
    return _element(tag, "–" if value is None else value, _CELL.format(side))


def _element(tag: str, content: object, style: str = "") -> "Markup":
    from markupsafe import Markup

    at = Markup(' style="{}"').format(style) if style else Markup("")
    return Markup("<{tag}{at}>{content}</{tag}>").format(tag=Markup(tag), at=at, content=content)


def _joined(parts: Iterable[object]) -> "Markup":
    from markupsafe import Markup

    return Markup("").join(part if isinstance(part, Markup) else str(part) for part in parts)
