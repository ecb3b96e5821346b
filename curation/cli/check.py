"""`curate check`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

import curation
from curation.cli.advice import advised
from curation.cli.options import cache_option
from curation.cli.terminal import Terminal, print_json
from curation.errors import InputError
from training.utils.bounded import most_bytes
from training.utils.files import read_regular

__all__ = ["check"]

#: Bytes of a line: far more than a listing may say.
_LONGEST = 1 << 20
_BLANK = b"\xef\xbb\xbf \t\r\n"


@click.command("check", epilog="Example: curate check listing.json --run runs/shop/1")
@click.argument("listing", metavar="LISTING.json", type=click.Path(path_type=Path), required=False)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read listings from stdin, a JSON object on each line.")
@click.option("--run", "run_folder", metavar="RUN", help="The finished run that checks them. [default: the latest]")
@click.option("--allow-outside", is_flag=True, help="Accept image paths that lead out of the folder they start from.")
@cache_option
def check(
    listing: Path | None, from_stdin: bool, run_folder: str | None, allow_outside: bool, cache_dir: Path | None
) -> None:
    """Check single listings by a finished run: lines of JSON in, lines of JSON out.

    LISTING.json holds an object, a list of objects, or an object on each line. Fields have the names of the dataset's
    columns: the path of the photo, label, price, title. Each line is answered by itself, as soon as it is read: with
    the issues and their scores, a suggested label and its chance, the usual price, reasons, and listings with the same
    photo. A line that can't be read is answered with "error".
    """
    if (listing is None) == (not from_stdin):
        raise InputError(
            "nothing to check" if listing is None else "--stdin has no effect beside LISTING.json",
            wanted="LISTING.json, or --stdin",
            fix="Give one of them.",
        )
    lines, root = (_typed(), Path()) if listing is None else (_read(listing), listing.parent)
    run = curation.open_run(run_folder)
    with run.checker(cache=cache_dir, allow_outside=allow_outside) as checker:
        Terminal().say("ready")
        for said in lines:
            unread = isinstance(said, InputError)
            answer: dict[str, Any] = {"id": None, "error": str(said)} if unread else checker([said], root)[0]
            if "error" in answer:
                answer["error"] = advised(answer["error"])
            # on one line, and at once: the form waits for it
            print_json(answer, indent=None)


def _typed() -> Iterator[Any]:
    stream = sys.stdin.buffer
    while line := stream.readline(_LONGEST):
        if len(line) == _LONGEST and not line.endswith(b"\n"):
            while (rest := stream.readline(_LONGEST)) and not rest.endswith(b"\n"):
                pass
            yield InputError("a line is too long", got=f"{_LONGEST:,} bytes or more", wanted="a JSON object")
        elif line.strip(_BLANK):
            yield _parsed(line.decode("utf-8", "replace"))


def _read(file: Path) -> Iterable[Any]:
    text = read_regular(file, most_bytes()).decode("utf-8-sig", "replace")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        # titles may hold other ends of lines
        return [_parsed(line) for line in text.split("\n") if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _parsed(line: str) -> Any:
    try:
        # Windows writes a mark before the first line
        return json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        shown = line.strip()[:40]
        return InputError("a line is no JSON", got=f"{shown!r}: {error}", wanted="a JSON object")
