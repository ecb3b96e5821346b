"""Names that another program changed: which listing or class is meant.

Spreadsheets and data frames rewrite names that look like numbers or dates: 00001 becomes 1, 123456789012 becomes
1.23457E+11, 3-5 becomes 05-Mar. A name is taken for another only if that is the only one that it can come from.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from curation.errors import some
from curation.listings.twins import name_key
from curation.rendering.words import agree, many
from training.utils.formulas import restored

__all__ = ["Meant", "changed_by_a_spreadsheet", "find_meant"]

_EXAMPLES = 3
#: Digits of a number that a spreadsheet keeps.
_KEPT = 15
#: No id has so many.
_LONGEST = 300
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,4})?")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,](\d+))?[eE][+-]?\d{1,4}")
_DATE = re.compile(r"(?:\d{1,4}|[^\W\d_]{3,10}\.?)(?:[-/. ]*(?:\d{1,4}|[^\W\d_]{3,10}\.?)){1,2}")
_TIME = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?$")
_FORMULA = re.compile(r"""=\s*"(.*)"|=(.*)|'(.*)""")
_FAILED = re.compile(r"#(?:NAME\?|VALUE!|REF!|N/A|NUM!|DIV/0!|####*)")
#: How the names of months begin in English, German, French, Spanish, Italian and Dutch, without accents.
_MONTHS = {
    **dict.fromkeys(("jan", "ene", "gen"), 1),
    **dict.fromkeys(("feb", "fev"), 2),
    **dict.fromkeys(("mar", "mrz", "mrt", "maa"), 3),
    **dict.fromkeys(("apr", "avr", "abr"), 4),
    **dict.fromkeys(("may", "mai", "mag", "mei"), 5),
    **dict.fromkeys(("jun", "giu", "juin"), 6),
    **dict.fromkeys(("jul", "lug", "juil"), 7),
    **dict.fromkeys(("aug", "aou", "ago"), 8),
    **dict.fromkeys(("sep", "set"), 9),
    **dict.fromkeys(("oct", "okt", "ott"), 10),
    "nov": 11,
    **dict.fromkeys(("dec", "dez", "dic"), 12),
}


@dataclass(frozen=True)
class Meant:
    """Which known names are meant by written ones.

    Attributes
    ----------
    names : dict of str to str
        As it is written → the known name, of those that are not known as they are written.
    doubtful : dict of str to list of str
        As it is written → the known names that it can come from, where there are several.
    notes : tuple of str
        What was taken for what, and why: a sentence each.
    reasons : dict of str to str
        Doubtful name → how those that it can come from differ from it, where no program rewrote it.
    """

    names: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, list[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    def first_doubt(self) -> str:
        """Return the first of the doubtful names with what it may be, for a message; there must be one."""
        name, fitting = next(iter(self.doubtful.items()))
        shown, *others = _told_apart([name, *fitting])
        return f"{shown}, which may be {' or '.join(others)}"

    def advice(self, rewritten: str) -> str:
        """Return what to do about the first of the doubtful names.

        Parameters
        ----------
        rewritten : str
            The advice where a program took it for a number or a date.
        """
        reason = self.reasons.get(next(iter(self.doubtful)))
        return f"{reason[0].upper()}{reason[1:]}: write them as the listings have them." if reason else rewritten


@dataclass
class _Known:
    """The known names that are still free, by what a program leaves of them."""

    names: Collection[str]
    _indices: dict[Hashable, dict[Hashable, list[str]]] = field(default_factory=dict)

    def by(self, key: Callable[[str], Hashable], called: Hashable) -> dict[Hashable, list[str]]:
        if called not in self._indices:
            index: dict[Hashable, list[str]] = {}
            for name in self.names:
                if (left := key(name)) is not None:
                    index.setdefault(left, []).append(name)
            self._indices[called] = index
        return self._indices[called]


_Way = Callable[[str, _Known], list[str]]


def find_meant(written: Iterable[str], known: Collection[str], *, what: str = "id") -> Meant:
    """Find out which known names are meant by names that another program may have changed.

    Parameters
    ----------
    written : iterable of str
        Names of a file.
    known : collection of str
        All ids, or all classes.
    what : str
        What the names are, for the notes.

    Examples
    --------
    >>> find_meant(["1", "05-Mar", "desk"], ["00001", "3-5", "desk"]).names
    {'1': '00001', '05-Mar': '3-5'}
    >>> find_meant(["1"], ["01", "001"]).doubtful
    {'1': ['01', '001']}
    """
    written = dict.fromkeys(written)
    names = set(known)
    exact = {name: name for name in written if name in names}
    if len(exact) == len(written):
        return Meant({}, {}, (), {})
    # as we write them for spreadsheets: nothing was changed, so no note
    marks = {text: name for name in names if (text := restored(name)) != name}
    marked = {
        name: text if text in names else marks[text]
        for name in written
        if name not in exact and ((text := restored(name)) in names or text in marks)
    }
    # a name that is there as it should be is not what another one comes from
    free = _Known([name for name in dict.fromkeys(known) if name not in exact and name not in marked.values()])
    unknown = [name for name in written if name not in exact and name not in marked]
    meant = dict(marked)
    doubtful: dict[str, list[str]] = {}
    notes, reasons = [], dict[str, str]()
    ways = _WAYS if what == "id" else {**_WAYS, "they are written differently": (_by_key(name_key), False)}
    for why, (way, rewrites) in ways.items():
        found = {name: fitting for name in unknown if (fitting := way(name, free))}
        sure = _one_to_one(found)
        meant |= sure
        several = {name: fitting for name, fitting in found.items() if len(fitting) > 1}
        doubtful |= several
        reasons |= {} if rewrites else dict.fromkeys(several, why)
        unknown = [name for name in unknown if name not in found]
        if sure:
            notes.append(_note(sure, what, why))
        if sure and rewrites:
            # then a name that is known as it is written may have been another one, too
            everything = _Known(list(dict.fromkeys(known)))
            several = {name: way(name, everything) for name in exact}
            doubtful |= {name: fitting for name, fitting in several.items() if len(fitting) > 1}
    return Meant(meant, doubtful, tuple(notes), reasons)


def changed_by_a_spreadsheet(names: Iterable[str]) -> str:
    """Return what a spreadsheet seems to have done to names that fit nothing; empty if nothing can be told.

    Examples
    --------
    >>> changed_by_a_spreadsheet(["1.23457E+17"])
    'A spreadsheet rounded long numbers (1.23457E+17): import that column as text, and decide again.'
    """
    reasons: dict[str, Callable[[str], object]] = {
        "A spreadsheet took text for formulas": _FAILED.fullmatch,
        "A spreadsheet rounded long numbers": _SCIENTIFIC.fullmatch,
        "A spreadsheet made dates of text": lambda name: re.search(r"[^\W\d_]|:", name) and next(_dates(name), None),
    }
    names = list(names)
    for reason, fits in reasons.items():
        if changed := [name for name in names if fits(name)]:
            return f"{reason} ({some(changed, _EXAMPLES)}): import that column as text, and decide again."
    return ""


def _one_to_one(found: dict[str, list[str]]) -> dict[str, str]:
    return {name: fitting[0] for name, fitting in found.items() if len(fitting) == 1}


def _note(names: dict[str, str], what: str, why: str) -> str:
    pairs = some([" as ".join(_told_apart(pair)) for pair in names.items()], _EXAMPLES)
    plural = f"{what}es" if what.endswith("s") else None
    return f"{many(len(names), what, plural)} {agree(len(names), 'was', 'were')} read as meant: {pairs} ({why})."


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return names for a message, with the code points of letters where two of them look the same."""
    if len(set(map(_form, names))) == len(names):
        return list(map(repr, names))
    return [f"{name!r} ({' '.join(_code_points(name))})" for name in names]


def _code_points(name: str) -> Iterator[str]:
    """Yield the code points that are not ASCII, and those of the letters that marks stand on."""
    for sign, after in zip(name, [*name[1:], ""], strict=True):
        if not sign.isascii() or (after and unicodedata.combining(after)):
            yield f"U+{ord(sign):04X}"


def _form(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _by_key(key: Callable[[str], Hashable]) -> _Way:
    def fitting(name: str, known: _Known) -> list[str]:
        left = key(name)
        return known.by(key, key).get(left, []) if left is not None else []

    return fitting


def _as_seen(name: str) -> str:
    shown = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return " ".join(unicodedata.normalize("NFC", shown).split())


def _without_case(name: str) -> str:
    return _as_seen(name).casefold()


def _unwrapped(name: str, known: _Known) -> list[str]:
    inside = _FORMULA.fullmatch(_as_seen(name))
    if not inside:
        return []
    text = next(group for group in inside.groups() if group is not None)
    return known.by(_as_seen, _as_seen).get(text.strip().replace('""', '"'), [])


def _decimal(name: str) -> Decimal | None:
    return Decimal(name.replace(",", ".")) if name.isascii() and _NUMBER.fullmatch(name) else None


def _number(name: str) -> Hashable:
    """Return what makes a number the same as another: without zeros that mean nothing."""
    if (number := _decimal(name)) is None:
        return None
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    shown = text.rstrip("0")
    return (sign, shown, int(exponent) + len(text) - len(shown)) if shown else (0, "", 0)


def _rounded_to(digits: int, name: str) -> Hashable:
    number = _decimal(name)
    return None if number is None else f"{number:.{digits}E}"


def _cut(name: str) -> Hashable:
    """Return a long whole number as a spreadsheet keeps it: zeros from the 16th digit on."""
    return name[:_KEPT] + "0" * (len(name) - _KEPT) if _is_long(name) else None


def _as_float(name: str) -> Hashable:
    """Return what a float keeps of a long whole number, whichever program wrote it."""
    return _rounded_to(_KEPT - 1, name) if _is_long(name) else None


def _is_long(name: str) -> bool:
    return name.isascii() and name.isdigit() and _KEPT < len(name) < _LONGEST


def _rounded(name: str, known: _Known) -> list[str]:
    if scientific := _SCIENTIFIC.fullmatch(name):
        digits = len(scientific[1] or "")
        return known.by(partial(_rounded_to, digits), ("rounded", digits)).get(_rounded_to(digits, name), [])
    cut = known.by(_cut, _cut).get(name, []) if _cut(name) == name else []
    return cut or (known.by(_as_float, _as_float).get(_as_float(name), []) if _is_long(name) else [])


def _dates(name: str) -> Iterator[Hashable]:
    """Yield the numbers that a date is made of, whatever their order; then without the year that was added."""
    text = _TIME.sub("", name)
    if not _DATE.fullmatch(text):
        return
    parts = re.findall(r"\d+|[^\W\d_]+", text)
    words = [part for part in parts if not part.isdigit()]
    months = [_month(word) for word in words]
    if len(months) > 1 or None in months or len(parts) not in (2, 3):
        return
    numbers = [int(part) for part in parts if part.isdigit()] + [month for month in months if month]
    yield tuple(sorted(number % 100 for number in numbers))
    if len(numbers) == 3 and any(number > 999 for number in numbers):
        yield tuple(sorted(number for number in numbers if number <= 999))


def _month(word: str) -> int | None:
    plain = unicodedata.normalize("NFD", word.casefold()).encode("ascii", "ignore").decode()
    return _MONTHS.get(plain[:4], _MONTHS.get(plain[:3]))


def _as_dates(name: str, known: _Known) -> list[str]:
    index = known.by(lambda text: next(_dates(text), None), "dates")
    return next((fitting for date in _dates(name) if (fitting := index.get(date))), [])


#: What happened to a name → how the name before is found, and whether names may have become the same by it.
_WAYS: dict[str, tuple[_Way, bool]] = {
    "they are in another Unicode form": (_by_key(_form), False),
    "blanks or invisible characters differ": (_by_key(_as_seen), False),
    "a spreadsheet's way to keep text": (_unwrapped, False),
    "capitals differ": (_by_key(_without_case), False),
    "a program took them for numbers": (_by_key(_number), True),
    "a spreadsheet rounded long numbers": (_rounded, True),
    "a spreadsheet made dates of them": (_as_dates, True),
}
