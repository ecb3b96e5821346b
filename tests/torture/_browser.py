"""A reviewer's browser: it enters a review by its link, and decides as the App does."""

from __future__ import annotations

import json
import urllib.request
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Browser"]

_SAMPLES = """query Samples($name: String!, $view: BSONArray!) {
    samples(dataset: $name, view: $view, first: 1000, paginationData: false) {
        ... on SampleItemStrConnection { edges { node { ... on ImageSample { sample } } } }
    }
}"""


class Browser:
    """A browser that has opened a link into a review.

    Parameters
    ----------
    link : str
        What `curate review` printed; it works once.
    """

    def __init__(self, link: str) -> None:
        cookies, direct = urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        self._opener = urllib.request.build_opener(cookies, direct)
        self._base = "{0.scheme}://{0.netloc}".format(urlsplit(link))
        rest = link.partition("/datasets/")[2]
        self._dataset = rest.partition("?")[0]
        self.get(link)

    def get(self, address: str) -> bytes:
        """Return what is at a path of the review, or at a link into it."""
        url = address if address.startswith("http") else self._base + address
        with self._opener.open(url, timeout=180) as answer:
            return bytes(answer.read())

    def post(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Send JSON, and return the JSON that comes back."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, json.dumps(asked).encode(), headers)
        with self._opener.open(request, timeout=180) as answer:
            return dict(json.load(answer))

    def samples(self) -> dict[str, str]:
        """Return FiftyOne's id of each listing."""
        asked = {"query": _SAMPLES, "variables": {"name": self._dataset, "view": []}}
        edges = self.post("/graphql", asked)["data"]["samples"]["edges"]
        found = [edge["node"]["sample"] for edge in edges]
        return {sample["listing_id"]: sample["_id"] for sample in found}

    def decide(self, operator: str, sample: str, **params: Any) -> bool:
        """Press a key of the review on a sample; return whether the App was told that it is done."""
        asked = {"operator_uri": f"@curate/review/{operator}", "dataset_name": self._dataset, "selected": [sample]}
        answer = self.post("/operators/execute", {**asked, "params": params, "view": []})
        return bool((answer.get("result") or {}).get("changed") == 1)
