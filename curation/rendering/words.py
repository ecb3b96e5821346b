"""Numbers, plurals and lists as text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["agree", "amount", "joined", "many", "number", "percent", "sentence", "short", "signed"]

_MOST_NAMES = 3


def many(count: int, word: str, plural: str | None = None) -> str:
    """Count things.

    Parameters
    ----------
    count : int
        How many.
    word : str
        Singular.
    plural : str, optional
        Plural, where it isn't `word` with an s.

    Examples
    --------
    >>> many(1, "listing"), many(1200, "listing"), many(2, "class", "classes")
    ('1 listing', '1,200 listings', '2 classes')
    """
    return f"{count:,} {word if count == 1 else plural or word + 's'}"


def agree(count: int, one: str, several: str) -> str:
    """Choose the form of a word that agrees with a count.

    Parameters
    ----------
    count : int
        How many.
    one, several : str
        The form after 1, and after any other count.

    Examples
    --------
    >>> agree(1, "is", "are"), agree(0, "is", "are"), agree(2, "is", "are")
    ('is', 'are', 'are')
    """
    return one if count == 1 else several


def number(value: float) -> str:
    """Write a mean of counts, with a decimal only if it has one.

    Examples
    --------
    >>> number(12.0), number(1.25), number(2100)
    ('12', '1.2', '2,100')
    """
    return f"{value:,.0f}" if round(value, 1) == round(value) else f"{value:,.1f}"


def percent(share: float) -> str:
    """Write a share; a small one gets a decimal, so that it does not read as 0 %.

    Examples
    --------
    >>> percent(0.25), percent(0.004)
    ('25 %', '0.4 %')
    """
    return f"{100 * share:.{0 if share == 0 or share >= 0.1 else 1}f} %"


def joined(names: Sequence[str]) -> str:
    """Join the first three names as a list to read.

    Examples
    --------
    >>> joined(["ana"]), joined(["ana", "ben"]), joined(list("abcde"))
    ('ana', 'ana and ben', 'a, b, c and 2 more')
    """
    parts = [*names[:_MOST_NAMES]]
    if len(names) > _MOST_NAMES:
        parts.append(f"{len(names) - _MOST_NAMES:,} more")
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def sentence(text: str) -> str:
    """Turn a line into a sentence.

    Examples
    --------
    >>> sentence("no difference"), sentence("All is well.")
    ('No difference.', 'All is well.')
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def short(text: str, most: int) -> str:
    """Cut a text off after `most` characters, so that no listing makes a page long.

    Examples
    --------
    >>> short("a long title", 8)
    'a long …'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def signed(value: float, digits: int = 3) -> str:
    """Write a difference with its sign; minus is U+2212, and zero has none.

    Parameters
    ----------
    value : float
        The difference.
    digits : int
        Digits after the decimal point.

    Examples
    --------
    >>> signed(0.0304), signed(-0.2, 1), signed(-0.0001)
    ('+0.030', '−0.2', '0.000')
    """
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def amount(price: float) -> str:
    """Write a price as people do: no decimals from 100 on, thousands separated.

    Examples
    --------
    >>> amount(9.9), amount(1250), amount(0)
    ('9.90', '1,250', '0')
    """
    return f"{price:,.0f}" if price >= 100 or price == int(price) else f"{price:,.2f}"
