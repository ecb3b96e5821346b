"""Rows that are no listings: those that add up others, such as "Total" and "Subtotal", and what stands below all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from curation.errors import short_repr, some
from curation.listings.price_cells import parse_price
from curation.listings.recognise import names_photo
from curation.rendering.words import agree, many

__all__ = ["Totals", "columns_of_text", "find_totals"]

_WORDS = (
    r"(?:grand |sub[- ]?|net |overall )?totals?(?: g[eé]n[eé]ral| general)?|sum|summe|(?:zwischen|gesamt)summe|gesamt"
    r"|insgesamt|sous-total|somme|suma|subtotaal|totaal|totale|razem|celkem|toplam|итого|всего|合计|总计|小计|合計|小計"
    r"|average|mean|durchschnitt|mittelwert|moyenne|promedio|media"
)
#: Such a word, perhaps with how many there are, "Total (12 items)"; or a subtotal with what it is of, "Subtotal lamps".
#: Nothing that was matched is given back: of a million blanks, each way to part them would be tried.
_TOTAL = re.compile(
    rf"(?:{_WORDS})(?:\s*+[:=(]?\s*+\d[\d.,]*+\s*+\w*+\s*+\)?)?\s*+[:=]?"
    r"|(?:sub[- ]?total|zwischensumme|sous-total|subtotaal)\b.{0,100}",
    re.IGNORECASE,
)
#: What stands between a subtotal and the total, perhaps with its rate: "VAT (20%)", "Shipping:".
_EXTRA = re.compile(
    r"(?:(?:sales |incl\. |including |plus |\+ ?)?"
    r"(?:vat|tax|taxes|gst|hst|pst|mwst|ust|tva|iva|btw|moms|mva|kdv|dph|ндс|税|消費税|增值税)"
    r"|mehrwertsteuer|umsatzsteuer"
    r"|(?:shipping|delivery|postage|handling|freight)(?: (?:costs?|fees?|and handling|& handling))?"
    r"|versand(?:kosten)?|porto|(?:frais de )?(?:port|livraison)|env[ií]o|spedizione|verzendkosten|доставка|运费"
    r"|discount|rabatt|remise|descuento|sconto|korting|скидка|fees?|surcharge|rounding)\.?"
    r"(?:\s*+[@(]?\s*+\d[\d.,]*+\s*+%\s*+\)?)?\s*+:?",
    re.IGNORECASE,
)
_RATE = re.compile(r"\d[\d.,]*+\s*+%")
#: Share of the rows above whose cells must be filled for a column to be one that every listing fills.
_FILLED = 0.5
#: Rows at the end that are looked at, and cells above them: rows of a wide table are fewer, but some.
_MOST, _SAMPLE = 20, 20_000
#: Texts that every listing has, e.g. a photo and a label: without so many of them, a row among the others is none.
_SURE = 2


@dataclass(frozen=True)
class Totals:
    """Rows that are no listings, by their labels.

    Attributes
    ----------
    totals : Index
        Rows that add up others.
    feet : Series of str
        Rows below the listings that hold nothing but a text: which.
    among : bool
        Whether some of the totals stand among the listings.
    """

    totals: pd.Index
    feet: pd.Series
    among: bool = False

    @property
    def rows(self) -> pd.Index:
        """All of them."""
        return self.totals.append(self.feet.index)

    def notes(self) -> tuple[str, ...]:
        """Say which they are, by their numbers."""
        said = []
        if count := len(self.totals):
            where = "among or below" if self.among else "below"
            which = f"{many(count, 'row')} {where} the listings {agree(count, 'is a total', 'are totals')}"
            said.append(f"{which} and left out: row{agree(count, '', 's')} {some(self.totals, 5)}.")
        if count := len(self.feet):
            which = f"{many(count, 'row')} below the listings {agree(count, 'is', 'are')} only text and left out"
            rows = f"row{agree(count, '', 's')} {some(self.feet.index, 5)}"
            said.append(f"{which}: {rows}, e.g. {short_repr(self.feet.iloc[0])}.")
        return tuple(said)


def find_totals(table: pd.DataFrame) -> Totals:
    """Find the rows that are no listings.

    At the end of the table, these are rows whose first filled cell says that it is a total, those of numbers alone,
    those of one text that is no id, and beside a total also taxes, shipping and discounts. They must lack a text that
    the listings have, such as a photo or a label: a listing may well be called "Total". Among the listings, a total
    must lack all of these, two at least.

    Parameters
    ----------
    table : DataFrame of str
        As the file has it; missing cells are NA.

    Examples
    --------
    >>> rows = {"title": ["a lamp", "Total"], "label": ["lamp", None], "price": ["9.50", "9.50"]}
    >>> find_totals(pd.DataFrame(rows)).rows.tolist()
    [1]
    """
    end = len(table)
    first = max(1, end - _MOST)
    while end > first and _may_be_foot(table.iloc[end - 1]):
        end -= 1
    sample = table.iloc[max(0, end - max(_MOST, _SAMPLE // max(1, table.shape[1]))) : end]
    texts = columns_of_text(sample)
    named = bool(len(sample)) and sample.iloc[:, 0].notna().mean() > _FILLED
    kinds: list[str] = []
    # upwards: the listings go on to the first that may be one
    for place in range(len(table) - 1, end - 1, -1):
        kind = _kind(table.iloc[place], sample, texts, named=named)
        if not kind:
            break
        kinds.insert(0, kind)
    kinds = _settled(kinds)
    last = table.iloc[len(table) - len(kinds) :]
    among = _among(table.iloc[: len(table) - len(kinds)], texts)
    below = [row for row, kind in zip(last.index, kinds, strict=True) if kind == "total"]
    feet = {
        row: str(last.loc[row].dropna().iloc[0]) for row, kind in zip(last.index, kinds, strict=True) if kind == "text"
    }
    numbers = table.index.dtype
    texts_below = pd.Series(feet, index=pd.Index(list(feet), dtype=numbers), dtype="string")
    return Totals(pd.Index([*among, *below], dtype=numbers), texts_below, among != [])


def _may_be_foot(row: pd.Series) -> bool:
    cells = _cells(row)
    return (
        len(cells) < _SURE
        or _says_extra(cells)
        or all(_is_number(cell) or _TOTAL.fullmatch(cell) for cell in cells.values())
    )


def _settled(kinds: list[str]) -> list[str]:
    """Return the kinds of the last rows: taxes and the like are totals beside one, and may be listings without."""
    if "total" not in kinds and "extra" in kinds:
        kinds = kinds[len(kinds) - kinds[::-1].index("extra") :]
    return ["total" if kind == "extra" else kind for kind in kinds]


def _kind(row: pd.Series, listed: pd.DataFrame, texts: list[str], *, named: bool) -> str:
    """Return what a row below the listings is: ``total``, ``extra`` or ``text``; empty if it may be a listing."""
    cells = _cells(row)
    lacking = [name for name in texts if name not in cells]
    if not lacking or not cells:
        return ""
    if _says_total(cells):
        return "total"
    if _says_extra(cells):
        return "extra"
    # without what stands first in every listing, e.g. its id
    nameless = named and row.index[0] not in cells
    if all(_is_number(cell) or _TOTAL.fullmatch(cell) for cell in cells.values()):
        return "total" if nameless and len(lacking) >= len(texts) - 1 else ""
    (name, text), *others = cells.items()
    if others or names_photo(text):
        return ""
    blanks = listed[name].dropna().astype(str).str.strip().str.contains(" ", regex=False)
    is_id = " " not in text or (len(blanks) > 0 and blanks.mean() > _FILLED)
    return "text" if nameless or not is_id else ""


def _among(table: pd.DataFrame, texts: list[str]) -> list[Any]:
    if len(texts) < _SURE:
        return []
    # the word itself may stand in one of them
    few = table[table[texts].notna().sum(axis=1) <= 1]
    says = [few[name].astype("string").str.strip().str.fullmatch(_TOTAL).fillna(False) for name in few.columns]
    few = few[pd.concat(says, axis=1).any(axis=1)] if says else few
    found = []
    for row, each in few.iterrows():
        cells = _cells(each)
        word = next(iter(cells), None)
        lacks = [name for name in texts if name not in cells]
        if len(cells) > 1 and _says_total(cells) and len(lacks) >= _SURE and set(texts) - set(lacks) <= {word}:
            found.append(row)
    return found


def _cells(row: pd.Series) -> dict[Any, str]:
    return {name: text for name, cell in row.dropna().items() if (text := str(cell).strip())}


def _says_total(cells: dict[Any, str]) -> bool:
    first, *others = cells.values() or [""]
    return _TOTAL.fullmatch(first) is not None and all(map(_is_number, others))


def _says_extra(cells: dict[Any, str]) -> bool:
    first, *others = cells.values() or [""]
    amounts = [_is_number(cell) or _RATE.fullmatch(cell) for cell in others]
    return _EXTRA.fullmatch(first) is not None and len(amounts) > 0 and all(amounts)


def _is_number(cell: str) -> bool:
    return parse_price(cell) is not None


def columns_of_text(table: pd.DataFrame) -> list[str]:
    """Return the columns that most rows fill with something else than numbers.

    Parameters
    ----------
    table : DataFrame of str
        As the file has it; missing cells are NA.
    """
    return [
        name
        for name in table.columns
        if sum(not _is_number(str(cell)) for cell in table[name].dropna()) > _FILLED * len(table)
    ]
