"""Twins: names of classes that differ only in how they are written, and are probably one class.

Names are compared without regard to case, to blanks, underscores and hyphens, to the Unicode form, to characters that
nobody sees, and to the plural of English words. What such a change could turn into another name is left alone: single
characters ("a" and "A" may be the letters), numbers ("-1" and "1", "1 2" and "12"; but 1.0 is 1), and plurals with a
meaning of their own ("glass" and "glasses").
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from curation.errors import some

__all__ = ["Twins", "count_labels", "find_twins", "looks", "match_spellings", "name_key", "spelt_out", "twins_in_words"]

#: Characters without width: soft hyphen, joiners, direction marks, byte order mark, variation selectors.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
#: A hyphen that is a minus sign: before a digit, and at the start of a word.
_MINUS = re.compile(r"(?<![^\s_])-(?=\d)")
#: A whole number as a column of fractions has it; 1.000 may be a thousand.
_WHOLE = re.compile(r"([+\-\u2212]?\d+)[.,]0{1,2}")
_BETWEEN_WORDS = re.compile(r"[\s_\-]+")
#: Shorter names, and words, are not taken apart.
_SHORTEST = 3
#: More words in the plural than this are compared as they are.
_MOST_PLURALS = 6

_IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "men": "man",
    "mice": "mouse",
    "scarves": "scarf",
    "shelves": "shelf",
    "teeth": "tooth",
    "wolves": "wolf",
    "women": "woman",
}
_SHORT_PLURALS = {"cds": "cd", "lps": "lp", "pcs": "pc", "tvs": "tv"}
#: Words in -s that are no plural, or whose plural means something else.
_NO_PLURALS = frozenset(
    re.findall(
        r"\w+",
        "arms as atlas bias blues boxers briefs canvas clothes customs does glasses goods greens has his iris its lens "
        "mars means news overalls physics plus series shorts species spectacles this tights trunks was whites windows "
        "works yes",
    )
)
#: Singulars in -s, whose plural ends in -ses.
_IN_S = frozenset({"atlas", "bias", "bus", "canvas", "gas", "iris", "lens"})


@dataclass(frozen=True)
class Twins:
    """Names that are probably one class.

    Attributes
    ----------
    name : str
        The most frequent spelling; among equally frequent ones, the one without unseen or decomposed characters, then
        the first in alphabetical order.
    spellings : dict of str to int
        Every name → its listings; `name` first, the others by number and name.
    """

    name: str
    spellings: dict[str, int]

    @property
    def others(self) -> tuple[str, ...]:
        """All names but the most frequent one."""
        return tuple(self.spellings)[1:]


def find_twins(counts: Mapping[str, int]) -> tuple[Twins, ...]:
    """Find the names that are probably one class.

    Parameters
    ----------
    counts : mapping of str to int
        Every name → its listings, in any order.

    Returns
    -------
    tuple of Twins
        By name. Empty where every name is a class of its own.

    Examples
    --------
    >>> find_twins({"laptop": 3, "Laptops": 5, "glass": 2, "glasses": 2})
    (Twins(name='Laptops', spellings={'Laptops': 5, 'laptop': 3}),)
    """
    by_form: dict[str, set[str]] = {}
    for name in counts:
        for form in _forms(name):
            by_form.setdefault(form, set()).add(name)
    groups = {name: {name} for name in counts}
    for alike in by_form.values():
        together = set().union(*(groups[name] for name in alike))
        for name in together:
            groups[name] = together
    twins = []
    for group in {id(group): group for group in groups.values() if len(group) > 1}.values():
        names = sorted(group, key=lambda name: (-counts[name], _is_odd(name), name))
        twins.append(Twins(names[0], {name: counts[name] for name in names}))
    return tuple(sorted(twins, key=lambda each: each.name))


def match_spellings(names: Iterable[str], classes: Collection[str]) -> dict[str, str]:
    """Return which names are other spellings of classes, and of which; those of several classes are left out.

    Parameters
    ----------
    names : iterable of str
        Labels, e.g. those of new listings.
    classes : collection of str
        The classes that a model knows.

    Examples
    --------
    >>> match_spellings(["mouse", "Mouse", "desk"], ["Mouse", "lamp"])
    {'mouse': 'Mouse'}
    """
    known = set(classes)
    others = [name for name in dict.fromkeys(names) if name not in known]
    of: dict[str, set[str]] = {}
    for twins in find_twins(dict.fromkeys([*classes, *others], 1)):
        same = known & twins.spellings.keys()
        of |= dict.fromkeys(twins.spellings, same)
    return {name: next(iter(of[name])) for name in others if len(of.get(name, ())) == 1}


def count_labels(labels: pd.Series, classes: Sequence[str] = ()) -> dict[str, int]:
    """Return the listings of every label; 0 for those of `classes` that no listing has."""
    counted = {str(name): int(count) for name, count in labels.value_counts().items()}
    return {**dict.fromkeys(classes, 0), **counted}


def name_key(name: str) -> str:
    """Return what names that differ only in how they are written have in common; the plural is another word here.

    Examples
    --------
    >>> name_key("Games_Console "), name_key("games console"), name_key("a"), name_key("A")
    ('gamesconsole', 'gamesconsole', 'a', 'A')
    >>> name_key("-1"), name_key("iPhone 1 2"), name_key("iPhone-12")
    ('-1', 'iphone1 2', 'iphone12')
    """
    words = _words(name)
    return words if isinstance(words, str) else _joined(words)


def _words(name: str) -> list[str] | str:
    """Return the words of a name as they are compared; or a text, if the name stays as it is."""
    # as shops export "Phones &amp; Tablets"
    seen = looks(html.unescape(name))
    plain = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", seen))
    # every kind of dash, as word processors make them
    plain = "".join("-" if unicodedata.category(sign) == "Pd" else sign for sign in plain)
    words = [word for word in _BETWEEN_WORDS.split(_MINUS.sub("\u2212", plain).casefold()) if word]
    if whole := _WHOLE.fullmatch(seen):
        return whole[1]
    if len(seen) < 2 or _is_number(plain) or not any(map(str.isalnum, plain)):
        return seen
    if sum(map(len, words)) < _SHORTEST:
        # "A-" and "A" are grades, "a b" is not "ab"
        return plain.casefold()
    return words


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _joined(words: Sequence[str]) -> str:
    """Join words; between two digits, a blank stays: 1 2 is not 12."""
    joined = words[0]
    for word in words[1:]:
        joined += f" {word}" if joined[-1].isdigit() and word[0].isdigit() else word
    return unicodedata.normalize("NFKC", joined)


def _forms(name: str) -> set[str]:
    """Return the keys of a name, and of it with words in the singular."""
    words = _words(name)
    if isinstance(words, str):
        return {words}
    choices = [[word, *_singulars(word)] for word in words]
    if sum(len(choice) > 1 for choice in choices) > _MOST_PLURALS:
        return {_joined(words)}
    return {_joined(chosen) for chosen in itertools.product(*choices)}


def _singulars(word: str) -> list[str]:
    """Return what an English word may be the plural of.

    >>> [_singulars(word) for word in ("laptops", "batteries", "watches", "cases", "lenses", "mice")]
    [['laptop'], ['battery', 'batterie'], ['watch', 'watche'], ['case'], ['lens', 'lense'], ['mouse']]
    >>> [_singulars(word) for word in ("glass", "glasses", "lens", "5s", "bus")]
    [[], [], [], [], []]
    """
    if word in _SHORT_PLURALS:
        return [_SHORT_PLURALS[word]]
    if word in _IRREGULAR:
        return [_IRREGULAR[word]]
    if len(word) <= _SHORTEST or not word.isalpha() or word in _NO_PLURALS or not word.endswith("s"):
        return []
    if word.endswith(("ss", "us")):
        return []
    if word.endswith("ies") and len(word) > len("pies"):
        return [f"{word[:-3]}y", word[:-1]]
    stem = word[:-2]
    if word.endswith(("ches", "shes", "sses", "xes", "zzes", "oes")) or stem in _IN_S or stem.endswith("us"):
        return [stem, word[:-1]]
    return [word[:-1]]


def looks(name: str) -> str:
    """Return what a person sees of a name, in one form."""
    return unicodedata.normalize("NFC", _UNSEEN.sub("", name)).strip()


def _is_odd(name: str) -> bool:
    return looks(name) != name or spelt_out(name) != name


def spelt_out(name: str) -> str:
    r"""Return a name with what nobody sees, and what looks like a blank, written as Python writes it.

    Examples
    --------
    >>> print(spelt_out("Router\u200b"), spelt_out("Ca\u0302ble"), spelt_out("Câble"), spelt_out("game\xa0box\n"))
    Router\u200b Ca\u0302ble Câble game\xa0box\n
    """
    return "".join(
        sign.encode("unicode_escape").decode()
        if not sign.isprintable() or _UNSEEN.match(sign) or unicodedata.combining(sign)
        else sign
        for sign in name
    )


def twins_in_words(twins: Sequence[Twins]) -> str:
    """Return twins in a few words, with their listings, the most first.

    Examples
    --------
    >>> twins_in_words(find_twins({"Mouse": 48, "mouse": 24}))
    'Mouse (48) and mouse (24)'
    """
    ordered = sorted(twins, key=lambda each: (-sum(each.spellings.values()), each.name))
    return some((_in_words(each) for each in ordered), 3)


def _in_words(twins: Twins) -> str:
    counted = [
        f"{spelt_out(name) if name == name.strip(' ') else repr(name)} ({count:,})"
        for name, count in twins.spellings.items()
    ]
    return " and ".join(filter(None, [", ".join(counted[:-1]), counted[-1]]))
