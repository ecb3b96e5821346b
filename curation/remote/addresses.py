"""URLs: which ones a user allows to be asked, and how they are shown without what nobody should see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from curation.errors import InputError, short_repr

__all__ = [
    "Address",
    "Allowed",
    "allowed_by",
    "is_remote",
    "is_web",
    "joined",
    "parse_address",
    "prefix_for",
    "scheme_of",
    "shown",
    "store_of",
]

#: A single letter is a drive of Windows.
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]+)://")
#: What names files of this machine.
_LOCAL = frozenset({"file", "local"})
#: A URL of Azure names a container before the sign @, and all others a person.
_CONTAINERS = "abfs"
_ALIASES = {"s3a": "s3", "gcs": "gs", "abfss": "abfs"}
_WEB = {"http": 80, "https": 443}
#: Parameters of a query that are keys: then none of the query is shown.
_SECRET = re.compile(
    r"[?&;#][^=&;]*(?:sig|token|secret|passw|pwd|auth|cred|key|policy|hmac|jwt|hash|session|hdne|hdnts|gda)[^=&;]*=",
    re.IGNORECASE,
)
#: How often a path may be escaped over and over.
_ROUNDS = 4
#: A host or a bucket, and a port.
_NETLOC = re.compile(r"[^:]*(?::\d*)?|\[[^\]]*\](?::\d*)?")
_CONTAINER = re.compile(r"[^:@]+@[^:@]+")
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")


def scheme_of(text: str) -> str:
    """Return the protocol of a URL in small letters; empty if it is none.

    Examples
    --------
    >>> scheme_of("S3://shop/1.jpg"), scheme_of("C:/photos/1.jpg"), scheme_of("1.jpg")
    ('s3', '', '')
    """
    match = _SCHEME.match(text)
    return match[1].lower() if match else ""


def is_remote(text: str) -> bool:
    """Return whether a text is a URL of something that is no file of this machine.

    Examples
    --------
    >>> is_remote("https://shop.com/1.jpg"), is_remote("file:///photos/1.jpg"), is_remote("photos/1.jpg")
    (True, False, False)
    """
    scheme = scheme_of(text)
    return bool(scheme) and scheme not in _LOCAL


def is_web(url: str) -> bool:
    """Return whether a URL is one of a web server, which gives files and lists none.

    Examples
    --------
    >>> is_web("HTTPS://shop.com/1.jpg"), is_web("s3://shop/1.jpg")
    (True, False)
    """
    return scheme_of(url) in _WEB


@dataclass(frozen=True)
class Address:
    """A URL in the one form in which two of them are compared.

    Attributes
    ----------
    scheme : str
        In small letters; one name for protocols that have several.
    host : str
        Of http, in small letters and ASCII; otherwise the bucket as it is written. Empty for any one.
    port : int or None
        None for a bucket.
    parts : tuple of str
        Of the path, without escapes.
    """

    scheme: str
    host: str
    port: int | None
    parts: tuple[str, ...]

    @property
    def store(self) -> str:
        """The server or bucket, e.g. ``https://shop.com`` or ``s3://photos``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port is None or self.port == _WEB.get(self.scheme)
        return f"{self.scheme}://{host}" + ("" if usual else f":{self.port}")


def parse_address(url: str) -> Address:
    """Return a URL in the form in which it is compared.

    User names and passwords are no part of it, and neither are queries.

    Parameters
    ----------
    url : str
        With a protocol.

    Raises
    ------
    ValueError
        If programs could understand it in several ways: it goes up in its path (``..``, escaped or not), its host has
        other signs than letters, figures, dots and dashes, it joins several protocols (``::``), or it has control
        characters.

    Examples
    --------
    >>> parse_address("HTTPS://me:secret@Shop.COM:443/a%20b/1.jpg?w=5")
    Address(scheme='https', host='shop.com', port=443, parts=('a b', '1.jpg'))
    """
    url = url.strip()
    scheme = scheme_of(url)
    if not scheme:
        raise ValueError("has no protocol")
    if not url.isprintable():
        raise ValueError("has control characters")
    rest = url[len(scheme) + 3 :]
    if "::" in url and not (scheme in _WEB and rest.startswith("[")):
        raise ValueError("joins several protocols")
    if scheme in _WEB:
        # as in urlsplit, but a backslash ends the host in no program and all programs
        netloc = re.split(r"[/?#]", rest, maxsplit=1)[0]
        if "\\" in netloc:
            raise ValueError("has a backslash in its host")
        try:
            split = urlsplit(f"{scheme}://{rest}")
            host, port = _host(split.hostname or ""), split.port
        except ValueError:
            raise ValueError("has no host that is understood") from None
        if port == 0:
            raise ValueError("has no port")
        return Address(scheme, host, port or _WEB[scheme], _parts(split.path, escaped=True))
    scheme = _ALIASES.get(scheme, scheme)
    netloc, _, path = rest.partition("/")
    if "@" in netloc and (scheme != _CONTAINERS or not _CONTAINER.fullmatch(netloc)):
        # what opens it takes all of this for its bucket
        raise ValueError("has a name or password before its bucket")
    return Address(scheme, netloc, None, _parts(path, escaped=False))


def _host(name: str) -> str:
    name = name if name.isascii() else name.encode("idna").decode()
    name = name.lower().removesuffix(".")
    if name and not _HOST.fullmatch(name):
        raise ValueError("has no host")
    return name


def _parts(path: str, *, escaped: bool) -> tuple[str, ...]:
    """Return the parts of a path, none of which goes up, however often its escapes are read."""
    plain = path
    for _ in range(_ROUNDS):
        if not {".", ".."}.isdisjoint(re.split(r"[/\\]", plain)):
            raise ValueError("goes up in its path")
        further = unquote(plain)
        if further == plain:
            break
        plain = further
    else:
        raise ValueError("is escaped many times over")
    whole = plain.replace("\\", "/") if escaped else path
    return tuple(whole.strip("/").split("/")) if whole.strip("/") else ()


def store_of(url: str) -> str:
    """Return the server or bucket of a URL; of one that can't be understood, what is shown of it.

    Examples
    --------
    >>> store_of("https://shop.com:443/1.jpg"), store_of("s3://photos/a/1.jpg")
    ('https://shop.com', 's3://photos')
    """
    try:
        return parse_address(url).store
    except ValueError:
        return shown(url)


def shown(url: str) -> str:
    """Return a URL as messages and files of a run may show it: without a password, a signature or another key.

    Examples
    --------
    >>> shown("https://me:secret@shop.com/1.jpg?w=5")
    'https://shop.com/1.jpg?w=5'
    >>> shown("https://shop.com/1.jpg?X-Amz-Credential=AKIA&X-Amz-Signature=0a1b")
    'https://shop.com/1.jpg?…'
    """
    match = _SCHEME.match(url)
    if match is None:
        return url
    start, rest = url[: match.end()], url[match.end() :]
    netloc = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in netloc or not _NETLOC.fullmatch(netloc):
        # a password may have a slash, although it must not
        rest = rest.partition("@")[2] if "@" not in netloc else rest[netloc.rindex("@") + 1 :]
    secret = _SECRET.search(unquote(rest))
    return f"{start}{re.split('[?#]', rest, maxsplit=1)[0]}?…" if secret else f"{start}{rest}"


@dataclass(frozen=True)
class Allowed:
    """What a user allows to be asked.

    Attributes
    ----------
    prefixes : tuple of Address
        Each allows what lies below it. One without a host allows each public host.
    """

    prefixes: tuple[Address, ...] = ()

    def allows(self, url: str) -> bool:
        """Return whether a URL lies below one of the prefixes: same protocol, host and port, whole parts of the path.

        Examples
        --------
        >>> allowed = allowed_by(["https://shop.com/photos/"])
        >>> allowed.allows("https://SHOP.com:443/photos/1.jpg"), allowed.allows("https://shop.com/photos2/1.jpg")
        (True, False)
        >>> allowed.allows("https://shop.com.evil.org/photos/1.jpg"), allowed.allows("https://shop.com/photos/../1")
        (False, False)
        """
        return bool(self._fitting(url))

    def only_public(self, url: str) -> bool:
        """Return whether a URL is allowed only if its host is no private address."""
        return all(not prefix.host for prefix in self._fitting(url))

    def _fitting(self, url: str) -> list[Address]:
        try:
            address = parse_address(url)
        except (ValueError, UnicodeError):
            return []
        return [prefix for prefix in self.prefixes if _is_below(address, prefix)]

    def also(self, url: str) -> Allowed:
        """Return the same with what lies below another URL."""
        return Allowed((*self.prefixes, parse_address(url)))


def _is_below(address: Address, prefix: Address) -> bool:
    if address.scheme != prefix.scheme or not address.host:
        return False
    if not prefix.host:
        return True
    same = (address.host, address.port) == (prefix.host, prefix.port)
    return same and address.parts[: len(prefix.parts)] == prefix.parts


def allowed_by(prefixes: str | Iterable[str] | None) -> Allowed:
    """Return what prefixes allow.

    Parameters
    ----------
    prefixes : str or iterable of str, optional
        Each a URL of a server, a bucket, or a folder there; ``https://`` or ``http://`` alone for each public host.

    Raises
    ------
    InputError
        If one is no such URL.
    """
    if prefixes is None:
        return Allowed()
    given: object = [prefixes] if isinstance(prefixes, str) else prefixes
    if not isinstance(given, Iterable):
        raise _no_prefix(short_repr(prefixes))
    each = list(given)
    if not all(isinstance(prefix, str) for prefix in each):
        raise _no_prefix(short_repr(prefixes))
    return Allowed(tuple(map(_prefix, each)))


def _prefix(text: str) -> Address:
    if scheme_of(text) in _LOCAL:
        raise InputError(
            "`fetch` names files of this machine",
            got=short_repr(text),
            fix="Leave it out, and use `allow_outside=True` for photos outside of the dataset's folder.",
            parameter="fetch",
        )
    try:
        address = parse_address(text)
    except (ValueError, UnicodeError) as error:
        raise _no_prefix(f"{short_repr(shown(text))}, which {_reason(error)}") from None
    if "?" in text or "#" in text:
        raise _no_prefix(f"{short_repr(shown(text))}, which has a query")
    if not address.host and (address.scheme not in _WEB or address.parts):
        raise _no_prefix(f"{short_repr(shown(text))}, which names no host or bucket")
    return address


def _reason(error: Exception) -> str:
    return "has no host" if isinstance(error, UnicodeError) else str(error)


def _no_prefix(got: str) -> InputError:
    return InputError(
        "`fetch` allows what begins with a URL",
        got=got,
        wanted="e.g. https://images.shop.com/ or s3://bucket/photos/, or https:// for each public host",
        parameter="fetch",
    )


def prefix_for(urls: Sequence[str]) -> list[str]:
    """Return what to allow so that URLs are asked: for each server or bucket the deepest folder that all lie in.

    Parameters
    ----------
    urls : sequence of str
        Those that can't be understood are left out.

    Examples
    --------
    >>> prefix_for(["https://shop.com/p/a/1.jpg", "https://shop.com/p/b/2.jpg", "s3://photos/1.jpg"])
    ['https://shop.com/p/', 's3://photos/']
    """
    folders: dict[str, tuple[str, ...]] = {}
    for url in urls:
        try:
            address = parse_address(url)
        except (ValueError, UnicodeError):
            continue
        if not address.host:
            continue
        folder, known = address.parts[:-1], folders.get(address.store)
        folders[address.store] = folder if known is None else _common(known, folder)
    found = []
    for store, parts in folders.items():
        path = "/".join(quote(part, safe=" ") if store.startswith("http") else part for part in parts)
        found.append(f"{store}/{path}/" if path else f"{store}/")
    return found


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if length is None else length]


def joined(base: str, name: str) -> str:
    """Return the URL of a photo that a table at a URL names relative to itself.

    Parameters
    ----------
    base : str
        URL of the table's folder, with a slash at its end.
    name : str
        A path.

    Examples
    --------
    >>> joined("s3://shop/2026/", "../photos/a b.jpg"), joined("https://shop.com/t/", "photos/a b.jpg")
    ('s3://shop/photos/a b.jpg', 'https://shop.com/t/photos/a%20b.jpg')
    >>> joined("s3://shop/2026/", "a//b.jpg"), joined("s3://shop/2026/", "/photos/./b.jpg")
    ('s3://shop/2026/a//b.jpg', 's3://shop/photos/b.jpg')
    """
    start = base[: len(scheme_of(base)) + 3]
    host, _, folder = base[len(start) :].partition("/")
    if scheme_of(base) in _WEB:
        path = posixpath.normpath(posixpath.join("/", folder, name)).lstrip("/")
        return f"{start}{host}/{quote(path, safe='/%')}"
    # keys of a bucket are texts: a//b is another object than a/b, and only what goes up is read as a path
    parts: list[str] = []
    for part in (name.lstrip("/") if name.startswith("/") else f"{folder}{name}").split("/"):
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    return f"{start}{host}/{'/'.join(parts)}"
