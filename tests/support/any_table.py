"""Tables of texts that break careless writers, drawn from a seed."""

from __future__ import annotations

import numpy as np

#: What stands in the cells of a table, alone and joined.
PIECES = (
    "", " ", "  ", "\t", "\n", "\r", "\r\n", "\n\r", "\0", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff",
    '"', '""', "'", ",", ";", "|", "=", "=1+1", "'00001", "00001", "-", "@", "+1", "NA", "null", "None", "true", "1e5",
    "1.0", "£1,200", "café", "日本", "𝔘", "_x000D_", "_x0041_", "\\", "\\n", "#N/A", "sep=;", "{", "[1]", "lamp",
    "sofa", "a b", "\u200b", "\ue000",
)  # fmt: skip


def draw_text(rng: np.random.Generator) -> str:
    """Return one to four of the pieces, one after the other."""
    return "".join(rng.choice(PIECES, size=rng.integers(1, 5)))


def draw_table(rng: np.random.Generator) -> tuple[list[str], list[list[str | None]]]:
    """Return a header with different names, and up to six rows of as many cells; the first is an id."""
    width, height = int(rng.integers(1, 5)), int(rng.integers(0, 7))
    header = ["id", *(f"{draw_text(rng)}{place}" for place in range(1, width))]
    rows = [
        [f"L{row}", *(None if rng.random() < 0.15 else draw_text(rng) for _ in range(1, width))]
        for row in range(height)
    ]
    return header, rows
