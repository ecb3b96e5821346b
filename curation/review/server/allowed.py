"""What the reviewer's browser may request from FiftyOne's server: the routes, operators and bodies of a review.

The lists name what is allowed, so anything that a later FiftyOne adds is refused until somebody has reviewed it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence, Set
from typing import Any

from training.utils.boundary import Boundary

__all__ = ["ALLOWED_OPERATORS", "AppRules", "refuse_body", "refuse_path", "servable"]

# our page sends nothing elsewhere; the App needs scripts in its page, workers from blobs, and styles everywhere, and
# its fonts of Google's are left out
_POLICY = (
    b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
    b"form-action 'self'; frame-ancestors 'none'"
)

# first part of the path: methods. Left out: /event (acts as FiftyOne's Python side), /screenshot and /runtime-assets
# (notebooks, models from the web), /frames, /video-labels, /get-similar-labels-frames, cameras and groups (a run has no
# videos or scenes), and the other routes below /dataset (change tags and mask files).
_READ, _SEND = ("GET", "HEAD"), ("POST",)
_ROUTES = {
    "": _READ,
    "404.html": _READ,
    "assets": _READ,
    "datasets": _READ,
    "favicon.ico": _READ,
    "features": _READ,
    "fiftyone": _READ,
    "index.html": _READ,
    "media": _READ,
    "model_evaluation.svg": _READ,
    "ontologies": _READ,
    "plugins": _READ,
    "aggregate": _SEND,
    "embeddings": _SEND,
    "events": _SEND,
    "geo": _SEND,
    "graphql": _SEND,
    "operators": _SEND,
    "sort": _SEND,
    "tag": _SEND,
    "tagging": _SEND,
    "values": _SEND,
}
# the one write of the Annotate tab
_SAMPLE = re.compile(r"/dataset/[0-9a-f]{24}/sample/[0-9a-f]{24}")
# FiftyOne sends every file of a plugin's folder: its Python, its .env, its .git
_PLUGIN_FILE = re.compile(r"/plugins(|/|/.+\.(js|mjs|css|wasm|svg|png|jpe?g|gif|webp|ico|woff2?|ttf))", re.IGNORECASE)

_BUILTIN = re.compile(r"@voxel51/(operators|panels)/")
# FiftyOne's own operators that the App, its Annotate tab and its panels call. Of the others, list_files and
# download_file read any file, model_evaluation_configure_scenario and mes_plot_resolver run any Python, and the rest
# change or remove samples, fields, indexes or views without the journal.
ALLOWED_OPERATORS = frozenset(
    [
        f"@voxel51/operators/{name}"
        for name in (
            "generate_label_schemas",
            "get_field_schema",
            "get_label_schemas",
            "list_me_scenarios",
            "list_saved_views",
            "list_valid_annotation_fields",
            "list_workspaces",
            "load_group_by",
            "load_saved_view",
            "load_workspace",
            "save_view",
            "save_workspace",
            "validate_label_schemas",
        )
    ]
    + [
        f"@voxel51/panels/{name}"
        for name in (
            "get_similarity_search_subscription_notifier",
            "init_similarity_run",
            "list_similarity_runs",
            "model_evaluation_panel_builtin",
            "similarity_search",
            "similarity_search_panel",
        )
    ]
)

# FiftyOne makes view stages and aggregations by calling any class or function that "_cls" names, with arguments from
# the request: {"_cls": "subprocess.Popen", ...} would run. Names without a dot are looked up in a registry.
_CLASS = re.compile(r"\w+|fiftyone\.core\.(stages|aggregations)\.[A-Z][A-Za-z]*")
_RAW_PIPELINE = "fiftyone.core.stages.Mongo"  # its $out and $merge write to any database of that MongoDB
# a photo may be an SVG from a marketplace; opened by itself, it must not run as a part of our page
_MEDIA_POLICY = b"sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_LARGEST_BODY = 64 * 1024 * 1024
# views belong to all reviewers of the run; the other mutations set what the App shows
_DENIED_MUTATIONS = frozenset({"deleteSavedView", "updateSavedView"})
# a subset of this type is Python that the Model Evaluation panel runs
_CODE = "custom_code"
#: Our operators. FiftyOne passes on whatever a request has for them.
_OURS = "@curate/review/"
#: What their forms send as text, or leave out.
_TEXTS = ("action", "id", "label", "new_class", "note", "price", "sample")
_JSON = {
    dict: "an object",
    list: "a list",
    bool: "yes or no",
    int: "a number",
    float: "a number",
    str: "a text",
    type(None): "nothing",
}
_LABEL = re.compile(r"/ground_truth(/|$)")
_NO = "Not available in a review."


class AppRules:
    """What the App may ask of FiftyOne's server; ``/media`` sends the photos of the dataset and nothing else.

    Parameters
    ----------
    photos : set of str
        The files that may be sent, from :func:`servable`; others may join them.

    Attributes
    ----------
    largest_body : int
        Bytes.
    """

    largest_body = _LARGEST_BODY

    def __init__(self, photos: Set[str]) -> None:
        self._photos = photos

    def refuse_request(self, method: str, path: str, query: Sequence[tuple[str, str]]) -> str:
        """Return why a request is refused, or an empty text."""
        if why := refuse_path(method, path):
            return why
        if _is_media(path):
            # every value, because the server uses the last one
            files = [value for name, value in query if name == "filepath"]
            if not files or any("\0" in file or os.path.realpath(file) not in self._photos for file in files):
                return "Not a photo of this dataset."
        return ""

    def refuse_body(self, path: str, body: bytes) -> tuple[int, str] | None:
        """Return status and reason if the body of a request is refused, or None."""
        return refuse_body(path, body)

    def policy(self, path: str) -> bytes:
        """Return the Content-Security-Policy of an answer."""
        return _MEDIA_POLICY if _is_media(path) else _POLICY


def _is_media(path: str) -> bool:
    return path.rstrip("/") == "/media"


def servable(photos: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files that may be sent to a browser, and the photos that may not.

    The files are the photos of the dataset, with links in their folders' paths resolved. A photo that is itself a link
    out of its folder is left out, because a dataset must not publish other files.
    """
    folders: dict[str, Boundary] = {}
    files, outside = set(), set()
    for photo in photos:
        folder = photo.rpartition(os.sep)[0]
        if folder not in folders:
            folders[folder] = Boundary(folder)
        if folders[folder].holds(photo):
            files.add(os.path.realpath(photo))
        else:
            outside.add(photo)
    return frozenset(files), frozenset(outside)


def refuse_path(method: str, path: str) -> str:
    """Return why a route is refused, or an empty string.

    Parameters
    ----------
    method : str
        ``GET``, ``POST`` and so on.
    path : str
        Percent-decoded once, as the server will see it. Other spellings of a path are refused.
    """
    parts = path.split("/")[1:]
    if (
        not path.startswith("/")
        or not path.isprintable()
        or any(sign in path for sign in "%\\")
        or any(part.startswith(".") for part in parts)
        or "" in parts[:-1]
    ):
        return "Malformed path."
    if _SAMPLE.fullmatch(path):
        return "" if method == "PATCH" else _NO
    if method not in _ROUTES.get(parts[0], ()):
        return _NO
    if parts[0] == "plugins" and not _PLUGIN_FILE.fullmatch(path):
        return _NO
    return ""


def refuse_body(path: str, body: bytes) -> tuple[int, str] | None:
    """Return status and reason if the body of a request is refused, or None.

    Parameters
    ----------
    path : str
        Path of the request, which `refuse_path` allows.
    body : bytes
        Its body, JSON.
    """
    try:
        request = json.loads(body.decode() or "{}")
        if not _is_plain(request):
            return 403, _NO
        if path.startswith("/dataset/"):
            return None if _edits_the_label(request) else (403, _NO)
        if path == "/graphql":
            return None if _is_known_query(request["query"]) else (403, _NO)
        if path.startswith("/operators"):
            operator = request.get("operator_uri")
            if not _may_run(operator) or _holds(request, _CODE):
                return 403, _NO
            why = _misfit(request) if operator is not None and operator.startswith(_OURS) else ""
            return (400, why) if why else None
        if not isinstance(request, dict):
            raise TypeError("every other route takes an object")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return 400, "Malformed request."
    return None


def _is_plain(value: Any) -> bool:
    """Return whether every class that a body names is one of FiftyOne's, even in JSON inside JSON."""
    if isinstance(value, dict):
        named = value.get("_cls")
        if "_CLS" in value:  # the same in the state of FiftyOne's Python side, which a review does not use
            return False
        if named is not None and (not isinstance(named, str) or not _CLASS.fullmatch(named) or named == _RAW_PIPELINE):
            return False
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            inner = json.loads(value)
        except ValueError:
            return True
        return _is_plain(inner)
    return True


def _holds(value: Any, word: str) -> bool:
    """Return whether a word is among the values of a body, at any depth."""
    if isinstance(value, dict | list):
        return any(_holds(item, word) for item in (value.values() if isinstance(value, dict) else value))
    return bool(value == word)


def _edits_the_label(request: Any) -> bool:
    """Return whether a JSON patch sets or removes ``ground_truth`` or a part of it, and does nothing else."""
    return isinstance(request, list) and all(
        step["op"] in ("add", "replace", "remove", "test") and _LABEL.match(step["path"]) for step in request
    )


def _is_known_query(query: str) -> bool:
    # FiftyOne's server has loaded it already
    from graphql import GraphQLError, parse
    from graphql.language import FieldNode, ObjectFieldNode, StringValueNode, Visitor, visit

    denied: list[bool] = []

    class Look(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            denied.append(node.name.value in _DENIED_MUTATIONS)

        def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
            # the App sends views as variables; inside the query, they would pass the check above
            denied.append(node.name.value == "_cls")

        def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
            denied.append(not _is_plain(node.value))

    try:
        visit(parse(query), Look())
    except GraphQLError as error:
        raise ValueError(str(error)) from None
    return not any(denied)


def _misfit(request: dict[str, Any]) -> str:
    """Return what is of another type than our operators take, in a request to one of them; nothing if all fits."""
    # FiftyOne fails where there are no params at all, not even an empty object
    chosen, given = request.get("selected"), request.get("params", {})
    if not (chosen is None or (isinstance(chosen, list) and all(isinstance(sample, str) for sample in chosen))):
        return f"selected must be a list of ids, got {_called(chosen)}."
    if not isinstance(given, dict):
        return f"params must be an object, got {_called(given)}."
    texts = {"current_sample": request.get("current_sample"), "dataset_name": request.get("dataset_name")}
    texts |= {name: given.get(name) for name in _TEXTS}
    wrong = next((name for name, value in texts.items() if not isinstance(value, str | None)), None)
    return f"{wrong} must be a text, got {_called(texts[wrong])}." if wrong else ""


def _called(value: Any) -> str:
    """Return what JSON calls a value; of a list with other things than was wanted, that."""
    other = next((item for item in value if not isinstance(item, str)), None) if isinstance(value, list) else None
    return f"a list with {_JSON[type(other)]}" if other is not None else _JSON[type(value)]


def _may_run(operator: Any) -> bool:
    """Return whether an operator may run: ours, those of other plugins, and FiftyOne's own that are allowed."""
    if operator is None:  # a list of operators or of buttons
        return True
    return not _BUILTIN.match(operator) or operator.partition("#")[0] in ALLOWED_OPERATORS
