"""The one look of every figure: colours that colour-blind readers can tell apart, and letters."""

from typing import Any

MODEL_COLOUR = "#0072B2"
TERMS_COLOUR = "#B84A00"
CODERS_COLOUR = "#4D4D4D"
INK = "#1D1D1F"
SOFT = "#59595F"
FAINT = "#8A8A90"
GRID = "#E3E3E8"
PAPER = "#FFFFFF"

ON_PAGE = {
    MODEL_COLOUR: "var(--model)",
    TERMS_COLOUR: "var(--terms)",
    CODERS_COLOUR: "var(--coders)",
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    FAINT: "var(--faint)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    "#000000": "var(--ink)",
}
"""What each colour is called where a page decides how light it stands."""

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "classify",
}
"""Settings for `matplotlib.rc_context`; nothing here is set for good."""
