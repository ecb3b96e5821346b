"""What people and their browsers send: command lines, requests to the review server, and what they type into forms."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import strategies as st

from curation.cli import main
from curation.errors import InputError
from curation.review.app.decide import class_named
from curation.review.server.allowed import AppRules
from curation.review.server.failures import Failures
from curation.review.server.guard import Guard
from curation.run.decisions import decide, named_listings
from curation.run.folder import RunFolder
from tests.support.fixes import make_run
from tests.torture.fuzz_reader import Reader
from training.utils.progress import SILENT

__all__ = ["DRAWN", "READERS"]

#: Options that most commands don't have, and values that most options don't take.
_WORDS = (
    *("--run", "--json", "--markdown", "--seed", "--folds", "--price", "--columns", "--dry-run", "--wait", "--help"),
    *("--accept-suggestions", "--min-confidence", "--as-of", "--decisions", "--format", "--output", "--reviewer"),
    *(
        "--top",
        "--all",
        "--port",
        "--label",
        "--new-class",
        "--image-size",
        "--epochs",
        "--model",
        "--trials",
        "--time-limit",
    ),
    *("-1", "0", "1e400", "nan", "inf", "9" * 400, "", " ", "--", "-", "=", "a=b", "id=", "=id", "\x1b[2J", "\u202e"),
    *("ü", "x" * 5000, "../x", "no/such/file.csv", "a\nb", "[red]x[/]", "{0}", "%s", "2026-13-45", "\udcff", "RUN"),
)
#: What is called; none of them trains, opens a review or contacts anybody, for what they name is not there.
_CALLS = (
    *(("status", "--run", "RUN"), ("runs",), ("runs", "diff", "RUN", "RUN"), ("verify", "--run", "RUN")),
    *(("apply-fixes", "--dry-run", "--run", "RUN", "--min-confidence", "0.5"), ("undo", "--run", "none")),
    *(("apply-fixes", "--dry-run", "--run", "RUN", "--as-of", "2026-01-01"), ("review", "--run", "none")),
    *(("find-issues", "gone.csv", "--folds", "3", "--seed", "1"), ("explore", "gone.csv"), ("predict", "gone.pt", "x")),
    *(("train", "gone.csv", "--epochs", "2", "--image-size", "64"), ("tune", "gone.csv", "--trials", "3")),
    *(("retrain", "--run", "none", "--compare"), ("compare-models", "gone.csv"), ("export", "gone.pt"), ("cache",)),
)
#: Of these, none is refused.
_HONEST = (("status", "--run", "RUN"), ("status", "--json", "--run", "RUN"), ("cache", "--json"), ("demo", "--help"))
#: Of a terminal, but for line ends and tabs.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _commands(folder: Path) -> Reader:
    run = make_run(folder)
    made = str(run.folder)

    def read(content: bytes) -> object:
        # no system passes a NUL on
        words = content.replace(b"\0", b"").decode(errors="surrogateescape").split("\n")
        arguments = [made if word == "RUN" else word for word in words]
        result = CliRunner().invoke(main, arguments)
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        shown = result.output.replace(made, "RUN")
        if result.exit_code not in (0, 1, 2) or "Traceback" in shown or _CONTROL.search(shown):
            raise AssertionError(f"exit code {result.exit_code} of {arguments!r}: {shown[-500:]!r}")
        if result.exit_code:
            raise InputError(f"exit code {result.exit_code}")
        return result.output

    return Reader("command lines", ["\n".join(call).encode() for call in _HONEST], read)


@st.composite
def _command(draw: Any) -> bytes:
    call = list(draw(st.sampled_from(_CALLS)))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(1, len(call)))
        # what is named must not become a dataset
        word = draw(st.sampled_from(_WORDS))
        call[place:place] = [word]
    return "\n".join(call).encode(errors="surrogateescape")


_HOST, _TOKEN = "127.0.0.1:5151", "token"
_PATHS = ("/graphql", "/operators/execute", "/tag", "/dataset/a/sample/b", "/media", "/", "/operators", "/x")


def _requests(folder: Path) -> Reader:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"") if scope["method"] == "POST" else b"{}"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

    def use(code: str) -> bool:
        return code == "code"

    guard = Guard(
        Failures(app, SILENT),
        address="127.0.0.1",
        port=5151,
        token=_TOKEN,
        use_code=use,
        rules=AppRules(frozenset({"/p.png"})),
    )

    def read(content: bytes) -> object:
        return _answer(guard, content)

    return Reader("http requests", [_request(path) for path in _PATHS[:3]], read)


def _request(path: str, method: str = "POST", body: object = None, **headers: str) -> bytes:
    given = {"host": _HOST, "cookie": f"curate_review_5151={_TOKEN}", **headers}
    lines = [f"{method} {path}", *(f"{name}: {value}" for name, value in given.items())]
    return "\n".join(lines).encode(errors="replace") + b"\n\n" + json.dumps(body or {"query": "query Q { a }"}).encode()


def _answer(guard: Guard, content: bytes) -> int:
    """Return the status of the answer to a request: every one gets one."""
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    scope = {
        **{"type": "http", "http_version": "1.1", "method": method.decode("latin-1"), "query_string": query},
        **{"path": path.decode(errors="replace"), "headers": [line.partition(b": ")[::2] for line in lines]},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    status = next((message["status"] for message in sent if message["type"] == "http.response.start"), 0)
    given = b"".join(message.get("body", b"") for message in sent)
    if not 200 <= status < 500 or b"Traceback" in given or any(b"\n" in part for part in _headers(sent)):
        raise AssertionError(f"status {status}: {given[:300]!r}")
    if status >= 400:
        raise InputError(f"status {status}")
    return int(status)


def _headers(sent: list[Any]) -> list[bytes]:
    return [part for message in sent for pair in message.get("headers", ()) for part in pair]


def _forms(folder: Path) -> Reader:
    run = make_run(folder)
    honest = [
        {"ids": ["00"], "action": "relabel", "label": "desk", "price": None, "note": "a desk", "reviewer": "ana"},
        {"ids": ["01"], "action": "relabel", "label": "sofa", "new_class": True, "price": None, "reviewer": "ben"},
        {"ids": ["02"], "action": "reprice", "label": None, "price": "SGD 1,250.50", "note": "", "reviewer": "ana"},
    ]

    def read(content: bytes) -> object:
        try:
            typed = json.loads(content)
        except (ValueError, RecursionError):
            raise InputError("the browser sends JSON only") from None
        typed = typed if isinstance(typed, dict) else {}
        try:
            return _decided(run, {name: typed.get(name) for name in honest[1] | honest[0]})
        finally:
            run.journal.unlink(missing_ok=True)

    return Reader("forms", [json.dumps(each).encode() for each in honest], read)


def _decided(run: RunFolder, typed: dict[str, Any]) -> object:
    # the App gives text
    texts = {name: None if typed[name] is None else str(typed[name]) for name in ("label", "price", "reviewer")}
    if texts["label"] is not None:
        class_named(run, texts["label"])
    new = bool(typed["new_class"])
    decide(
        run, named_listings(typed["ids"]), str(typed["action"]), new_class=new, note=str(typed["note"] or ""), **texts
    )
    return run.holding_decisions()


READERS: dict[str, Callable[[Path], Reader]] = {
    **{"command lines": _commands, "http requests": _requests, "forms": _forms},
}

_TEXT = st.text(max_size=20) | st.sampled_from(_WORDS)
_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT
DRAWN: dict[str, st.SearchStrategy[bytes]] = {
    "command lines": _command(),
    "http requests": st.builds(
        _request,
        st.sampled_from(_PATHS) | _TEXT.map(lambda text: "/" + text),
        st.sampled_from(["GET", "POST", "PATCH", "PUT", "HEAD", "OPTIONS", ""]),
        st.dictionaries(_TEXT, _VALUE | st.lists(_VALUE, max_size=3), max_size=3),
    ),
    "forms": st.fixed_dictionaries(
        {
            "ids": st.lists(st.sampled_from(["00", "01", "04", "09", "zz"]) | _TEXT, max_size=3) | _VALUE,
            "action": st.sampled_from(["keep", "relabel", "reprice", "delete", "ambiguous", "undo", "note"]) | _VALUE,
            "label": st.sampled_from(["desk", "Desk ", "NA", "none"]) | _VALUE,
            **{"price": _VALUE, "note": _VALUE, "new_class": st.booleans(), "reviewer": _VALUE},
        }
    ).map(lambda typed: json.dumps(typed).encode()),
}
