"""Columns of prices as sellers write them: "£1,200", "1.299,00 €", "S$ 45", "1k", "POA".

A column has one rule for what marks the decimals: the one that its cells prove. Where they prove none, a number such as
1.299 may mean two things, and is no price.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from curation.errors import short_repr, some
from curation.listings.cell_objects import Money, money_of
from curation.listings.currencies import WHOLE, common_currency, without_shared
from curation.listings.none_words import none_cells
from curation.listings.price_cells import Decimal, WrittenPrice, parse_price
from curation.rendering.words import agree, many

__all__ = ["MAX_PRICE", "Prices", "read_prices"]

#: No listing costs more, whatever its currency; what is computed with prices up to here stays finite and exact.
MAX_PRICE = 10**15

#: What sellers write where they name no price, beside the words for none of any column; in lower case.
_NO_PRICE = frozenset(
    {"poa", "p.o.a.", "p.o.a", "free", "ask"}
    | {"negotiable", "offers", "offer", "swap", "swaps", "gratis", "vb", "contact", "call", "enquire", "inquire"}
)
#: A number of a program that may mean two things.
_EITHER = r"[+-]?[1-9]\d{0,2}\.\d{3}"
_MARKS = {".": "dot", ",": "comma"}
_OTHER: dict[str, Decimal] = {".": ",", ",": "."}
#: Share of the numbers with marks that must fit the rule of their column.
_FIT = 0.9
#: Amounts from which on it says something that all are whole.
_FEW = 3


@dataclass(frozen=True)
class Prices:
    """The prices of a column of text.

    Attributes
    ----------
    values : Series of float64
        NaN where there is none.
    unread : Series of bool
        Cells that hold something which is neither a price nor a word for none, such as "POA".
    doubtful : Series of bool
        Those of them whose number may mean two things, such as 1.299.
    decimal : str
        What marks the decimals, see :func:`curation.listings.price_cells.check_decimal`. Read with it, every cell is
        the same price, whatever others there are.
    currencies : dict of str to int
        The currencies that the cells name, with their counts. A sign of several currencies is one of its own only
        where no cell says which.
    notes : tuple of str
        How the column was read, where it holds more than plain numbers.
    """

    values: pd.Series
    unread: pd.Series
    doubtful: pd.Series
    decimal: Decimal = "."
    currencies: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> pd.Series:
        """The values from 0 to :data:`MAX_PRICE`; NaN for others, too."""
        return self.values.where(self.values.between(0, MAX_PRICE))


def read_prices(
    text: pd.Series,
    decimal: Decimal | None = None,
    numbers: pd.Series | None = None,
    usual: Decimal | None = None,
    *,
    delimiter: str = "",
) -> Prices:
    """Read a column of prices. The column as a whole settles what 1.299 and 1,299 mean.

    Parameters
    ----------
    text : Series of str
        NA for a missing price.
    decimal : str, optional
        What marks the decimals; by default what the column proves.
    numbers : Series of bool, optional
        Cells that their file holds as numbers: in them, a dot marks the decimals.
    usual : str, optional
        What marks the decimals where the column does not prove it.
    delimiter : str
        What stands between the cells of their file, if it is known: ``";"`` where commas mark decimals.

    Examples
    --------
    >>> prices = read_prices(pd.Series(["1.299,00 €", "45 €", "2.500 €", "POA"], dtype="string"))
    >>> prices.values.tolist(), prices.decimal, prices.currencies
    ([1299.0, 45.0, 2500.0, nan], ',', {'EUR': 3})
    """
    text, numbers, named, cents = _without_objects(text, numbers)
    if usual and decimal is None and (cell := _unsettled(text if numbers is None else text[~numbers])):
        read = read_prices(text, usual, numbers, delimiter=delimiter)
        said = (*read.notes, _said_of_usual(cell, usual), *cents)
        return replace(read, currencies=_sum(read.currencies, named), notes=said)
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    free = text.notna() if numbers is None else text.notna() & ~numbers
    others = text[free & values.isna()]
    none = others[others.str.lower().isin(_NO_PRICE) | none_cells(others)]
    others = others.drop(none.index)
    written = _parsed(others)
    # plain numbers, perhaps with words for none among them, are a program's: a dot marks the decimals
    by_people = any(not price.plain for price in written.values())
    cells = others
    if by_people or decimal not in (None, "."):
        dotted = text[free & values.notna() & text.str.contains(".", regex=False)]
        cells = pd.concat([others, dotted])
        written |= _parsed(dotted)
    cells = cells[[cell in written for cell in cells.tolist()]]
    counts = Counter(cells.tolist())
    evidence = _Evidence.of(written, counts)
    rule = decimal if decimal is not None else evidence.rule() if by_people else "."
    amounts = {cell: price.value(rule) for cell, price in written.items()}
    values[cells.index] = cells.map(amounts).astype("float64")
    unread = text.notna() & values.isna()
    unread[none.index] = False
    doubtful = unread & text.isin([cell for cell, amount in amounts.items() if amount is None])
    currencies = Counter[str]()
    for cell, count in counts.items():
        currencies[written[cell].currency] += count if amounts[cell] is not None else 0
    if by_people or decimal not in (None, "."):
        read_cells = cells[values[cells.index].notna()]
        notes = _of_texts(read_cells, written, rule)
        if decimal is None and not evidence.sure and not evidence.three:
            bare = int(values.notna().sum()) - len(read_cells)
            notes = itertools.chain(notes, _of_thousands(read_cells, written, bare, delimiter))
    else:
        notes = _of_numbers(text[free & values.notna()])
    misfits = evidence.misfits(rule) if decimal is None else ()
    said = (*notes, *cents, *misfits, *_of_none(none), *_of_doubt(text[doubtful], given=decimal is not None))
    return Prices(values, unread, doubtful, rule, _sum(currencies, named), said)


def _sum(currencies: Mapping[str, int], named: Mapping[str, int]) -> dict[str, int]:
    return without_shared(Counter(currencies) + Counter(named))


def _without_objects(
    text: pd.Series, numbers: pd.Series | None
) -> tuple[pd.Series, pd.Series | None, dict[str, int], tuple[str, ...]]:
    """Return a column with numbers in place of objects of prices; their currencies, counted; and what to check."""
    begins = text.str.startswith("{").fillna(False).astype(bool)
    money = {row: found for row, cell in text[begins].items() if (found := money_of(cell))}
    if not money:
        return text, numbers, {}, ()
    amounts = pd.Series({row: each.amount or pd.NA for row, each in money.items()}, dtype="string")
    numbers = pd.Series(False, text.index) if numbers is None else numbers.copy()
    text = text.copy()
    text[amounts.index] = amounts
    numbers[amounts.index] = True
    named = Counter(common_currency([each.currency]) or each.currency for each in money.values() if each.amount)
    return text, numbers, dict(named), _of_cents(list(money.values()))


def _of_cents(money: Sequence[Money]) -> tuple[str, ...]:
    """Warn where objects may hold hundredths, as those of Square do: no amount has decimals, and the currency has."""
    amounts = [each for each in money if each.amount and each.currency not in ("", *WHOLE)]
    if len(amounts) < _FEW or not all(each.amount.isdigit() for each in amounts):
        return ()
    first = amounts[0]
    return (
        f"Check the prices: all {len(amounts):,} amounts beside a currency are whole numbers, such as {first.amount} "
        f"{first.currency}. If they count cents, divide them by 100 before.",
    )


def _unsettled(text: pd.Series) -> str | None:
    """Return a cell that may mean two things for all that the others prove; None if there is none."""
    counts = Counter(text.dropna().tolist())
    written = _parsed(pd.Series(list(counts), dtype="string"))
    evidence = _Evidence.of(written, {cell: counts[cell] for cell in written})
    # one 9.99 among a program's numbers says that of all
    by_program = all(price.plain for price in written.values())
    proven = evidence.sure if by_program else evidence.rule() and (evidence.sure or evidence.three)
    return None if proven else next((cell for cell in counts if cell in written and written[cell].either), None)


def _said_of_usual(cell: str, usual: Decimal) -> str:
    mark = _MARKS[usual[0]]
    return (
        f"The prices do not settle what marks their decimals, e.g. of {short_repr(cell)}: it is a {mark}, as in the "
        "listings that the model was trained on."
    )


def _parsed(cells: pd.Series) -> dict[str, WrittenPrice]:
    return {cell: price for cell in set(cells.tolist()) if (price := parse_price(cell)) is not None}


@dataclass(frozen=True)
class _Evidence:
    """What the cells of a column prove of its rule.

    Attributes
    ----------
    sure : Counter of str
        The mark that surely marks decimals → cells.
    either : Counter of str
        The mark of numbers that may mean two things → cells.
    three : set of str
        Marks with surely three decimals.
    examples : dict of str to str
        A cell for each mark of `sure`.
    """

    sure: Counter[str] = field(default_factory=Counter)
    either: Counter[str] = field(default_factory=Counter)
    three: set[str] = field(default_factory=set)
    examples: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, WrittenPrice], counts: Mapping[str, int]) -> _Evidence:
        found = cls()
        for cell, count in counts.items():
            price = written[cell]
            if price.decimal:
                found.sure[price.decimal] += count
                found.examples.setdefault(price.decimal, cell)
            elif price.either and price.power <= 0:
                # of thousands, such as 1.299k, three digits prove neither
                found.either[price.either] += count
            if price.three:
                found.three.add(price.decimal or price.either)
        return found

    def rule(self) -> Decimal:
        """Return the rule that the cells fit; empty if they fit none."""
        marked = self.sure.total() + self.either.total()
        if not marked:
            return "."
        if not self.sure and len(self.either) == 1:
            if self.three:
                # a currency of three decimals
                return "." if "." in self.either else ""
            # as people separate thousands
            return "," if "." in self.either else "."
        dot, comma = self._fit("."), self._fit(",")
        if dot == comma or max(dot, comma) < _FIT * marked:
            return ""
        mark = "." if dot > comma else ","
        few = self.either[mark] > 0 and mark not in self.three
        return (".00" if few else ".") if mark == "." else (",00" if few else ",")

    def _fit(self, mark: str) -> int:
        """Return how many cells fit: prices have no three decimals, unless some surely have."""
        other = "," if mark == "." else "."
        return self.sure[mark] + self.either[other] + (self.either[mark] if mark in self.three else 0)

    def misfits(self, rule: Decimal) -> Iterator[str]:
        """Yield a sentence of the cells that do not fit the rule, though what they mean is sure."""
        other = "," if rule[:1] == "." else "."
        if rule and (count := self.sure[other]):
            yield (
                f"{many(count, 'price')} {agree(count, 'has', 'have')} a {_MARKS[other]} before the decimals, unlike "
                f"the others, e.g. {short_repr(self.examples[other])}."
            )


def _of_texts(read: pd.Series, written: Mapping[str, WrittenPrice], rule: Decimal) -> Iterator[str]:
    """Yield how text was read, with a cell that shows the rule; and what has three decimals."""
    if read.empty:
        return
    either = [cell for cell in read.unique() if written[cell].either]
    cell = either[0] if either else read.iloc[0]
    comma = rule[:1] == "," and any("," in cell for cell in written)
    dots = rule[:1] == "," and not comma and written[cell].either
    how = ", with a decimal comma" if comma else ", as the dot separates thousands" if dots else ""
    example = f"{short_repr(cell)} is {_shown(written[cell].value(rule))}"
    yield f"{many(len(read), 'price')} {agree(len(read), 'is', 'are')} read from text, e.g. {example}{how}."
    three = [cell for cell in either if written[cell].either == rule[:1] and not written[cell].three]
    if three:
        yield _three_decimals(int(read.isin(three).sum()), three[0], written[three[0]].value(rule))


def _of_numbers(plain: pd.Series) -> Iterator[str]:
    """Yield how plain numbers like 1.299 were read, if all numbers with a dot look like that."""
    dotted = plain[plain.str.contains(".", regex=False)]
    if len(dotted) and dotted.str.fullmatch(_EITHER).all():
        yield _three_decimals(len(dotted), dotted.iloc[0], float(dotted.iloc[0]))


def _of_thousands(read: pd.Series, written: Mapping[str, WrittenPrice], bare: int, delimiter: str) -> Iterator[str]:
    """Yield a warning if prices read with thousands may as well have three decimals, as nothing proves a mark.

    So it is where the file has semicolons between its cells, as programs write it for people whose decimals a comma
    marks; and where neither a currency nor one of the `bare` prices without a mark says that the others are large.
    """
    either = [cell for cell in read if written[cell].either and written[cell].power <= 0]
    if not either:
        return
    price, mark = written[either[0]], written[either[0]].either
    semicolons = mark == "," and delimiter == ";"
    if not semicolons and (len(either) < len(read) + bare or any(written[cell].currency for cell in either)):
        return
    why = (
        "semicolons part the cells of the file, as where a comma marks decimals" if semicolons else "nothing proves it"
    )
    other = _OTHER[mark]
    large, small = _shown(price.value(other)), _shown(price.value(_OTHER[other]))
    yield (
        f"Check the prices: {many(len(either), 'price')} such as {short_repr(either[0])} "
        f"{agree(len(either), 'is', 'are')} read with thousands, as {large}, though {why}. `decimal={mark!r}` reads "
        f"{small}, and `decimal={other!r}` says that the thousands are right."
    )


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:,.2f}" if round(value, 2) == value else f"{value:,.3f}"


def _three_decimals(count: int, cell: str, value: float | None) -> str:
    mark, other = (".", ",") if "." in cell else (",", ".")
    return (
        f"{many(count, 'price')} such as {short_repr(cell)} {agree(count, 'is', 'are')} read with decimals, as "
        f"{value:,.3f}. `decimal={other!r}` says that the {_MARKS[mark]} separates thousands."
    )


def _of_none(cells: pd.Series) -> Iterator[str]:
    if cells.empty:
        return
    count = len(cells)
    kinds = some((f"{word} ({count})" for word, count in cells.value_counts().items()), 3)
    yield f"{many(count, 'price')} {agree(count, 'is a word', 'are words')} for none, and counted as missing: {kinds}."


def _of_doubt(cells: pd.Series, *, given: bool) -> Iterator[str]:
    if cells.empty:
        return
    count, kinds = len(cells), some(map(short_repr, cells.unique()), 3)
    how = "" if given else " `decimal=','` or `decimal='.'` says it."
    yield (
        f"{many(count, 'price')} may mean two things, for the column does not settle what marks the decimals, and "
        f"{agree(count, 'counts', 'count')} as missing: {kinds}.{how}"
    )
