"""The requests of a live page, and what they are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from curation.errors import CurateError, DecisionsError
from curation.rendering.thumbnails import MEDIA_TYPE
from curation.review.live.filters import Filter, read_filter, read_places
from curation.review.live.numbers import read_json, whole
from curation.review.live.page import ASSETS, asset, fill
from curation.review.live.photos import LARGE, SMALL
from curation.review.live.session import Session
from curation.review.live.steps import read_step
from training.utils.parallel import cores

__all__ = ["application"]

#: Listings of one answer at most.
_PIECE = 20_000
_ROWS = 200
_CARDS = 20
_GRIDS = 4
#: Listings on a screen.
_SHOWN = 400
_T = TypeVar("_T")


def application(session: Session) -> Starlette:
    """Return the app that answers a live page.

    Parameters
    ----------
    session : Session
        What it shows and records.
    """
    answers = _Answers(session)
    routes = [
        Route("/", answers.page),
        Route("/assets/{name}", answers.asset),
        Route("/favicon.ico", answers.no_icon),
        Route("/order", answers.order),
        Route("/queue", answers.queue),
        Route("/rows", answers.rows),
        Route("/cards", answers.cards),
        Route("/find", answers.find),
        Route("/photo", answers.photo),
        Route("/changes", answers.changes),
        Route("/steps", answers.steps, methods=["POST"]),
        Route("/learn", answers.learn, methods=["POST"]),
        Route("/counts", answers.counts),
        Route("/narrow", answers.narrow, methods=["POST"]),
        Route("/suggestions", answers.suggestions, methods=["POST"]),
        Route("/grids", answers.grids, methods=["POST"]),
        Route("/map", answers.map, methods=["POST"]),
        Route("/points", answers.points),
    ]
    return Starlette(routes=routes, exception_handlers={CurateError: _stopped})


async def _stopped(request: Request, error: Exception) -> Response:
    return _json({"stopped": str(error)}, 503)


class _Answers:
    def __init__(self, session: Session) -> None:
        self._session = session
        # the journal and what holds of it are one thread's
        self._journal = ThreadPoolExecutor(1, "journal")
        self._cards = ThreadPoolExecutor(1, "cards")
        self._photos = ThreadPoolExecutor(cores(), "photos")

    async def page(self, request: Request) -> Response:
        session = self._session
        data = await _in(self._journal, session.opening)
        return Response(fill(session.name, data), media_type="text/html", headers={"cache-control": "no-store"})

    async def asset(self, request: Request) -> Response:
        kind = ASSETS.get(name := request.path_params["name"])
        if kind is None:
            raise HTTPException(404)
        return Response(asset(name), media_type=kind, headers={"cache-control": "no-cache"})

    async def no_icon(self, request: Request) -> Response:
        # a browser asks for one before it has read that there is none
        return Response(status_code=204)

    async def queue(self, request: Request) -> Response:
        start = _number(request, "from")
        return _json(await _in(self._journal, lambda: self._session.piece(start, _PIECE)))

    async def order(self, request: Request) -> Response:
        return _json(await _in(self._journal, lambda: self._session.order(_PIECE)))

    async def learn(self, request: Request) -> Response:
        return _json(await _in(self._journal, self._session.learn))

    async def rows(self, request: Request) -> Response:
        places = self._places(request, _ROWS)
        return _json(await _in(self._cards, lambda: self._session.rows(places)))

    async def cards(self, request: Request) -> Response:
        places = self._places(request, _CARDS)
        return _json(await _in(self._cards, lambda: self._session.cards(places)))

    async def find(self, request: Request) -> Response:
        words = request.query_params.get("words", "")
        return _json(await _in(self._cards, lambda: self._session.queue.find(words)))

    async def photo(self, request: Request) -> Response:
        id, side = request.query_params.get("id", ""), _number(request, "side")
        if side not in (LARGE, SMALL) or not self._session.queue.holds(id):
            raise HTTPException(404)
        shown = await _in(self._photos, lambda: self._session.photos.copy(id, side))
        if not shown.content:
            return Response(shown.why, 404, media_type="text/plain", headers={"cache-control": "no-store"})
        # a person may put another photo there while the review is open
        return Response(shown.content, media_type=MEDIA_TYPE, headers={"cache-control": "private, max-age=600"})

    async def changes(self, request: Request) -> Response:
        name, since = request.query_params.get("session", ""), _number(request, "since")
        shown = self._places(request, _SHOWN, "shown") if request.query_params.get("shown") else []
        return _json(await _in(self._journal, lambda: self._session.news(name, since, shown)))

    async def steps(self, request: Request) -> Response:
        try:
            content = read_json(await request.body())
            steps = [read_step(step) for step in content["steps"]]
            name, since = str(content["session"]), _count(content["since"])
        except (DecisionsError, KeyError, TypeError, ValueError):
            return _json({"stopped": "Malformed request."}, 400)
        return _json(await _in(self._journal, lambda: self._session.take(steps, name, since)))

    async def counts(self, request: Request) -> Response:
        left = await _in(self._journal, self._session.left)
        return _json(await _in(self._cards, lambda: self._session.counts(left)))

    async def narrow(self, request: Request) -> Response:
        wanted = await self._said(request, lambda content: read_filter(content["filter"]))
        veiled = await _in(self._journal, self._session.veiled)
        return _json(await _in(self._cards, lambda: self._session.narrowed(wanted, veiled)))

    async def suggestions(self, request: Request) -> Response:
        size = len(self._session.queue.ids)
        places = await self._said(request, lambda content: read_places(content["places"], size))
        left = await _in(self._journal, self._session.left)
        return _json(await _in(self._cards, lambda: self._session.suggestions(places, left)))

    async def grids(self, request: Request) -> Response:
        size = len(self._session.queue.ids)

        def read(content: Any) -> tuple[Filter, list[int], int, list[int] | None]:
            number = min(max(_count(content["number"]), 1), _GRIDS)
            among = content.get("among")
            picked = None if among is None else read_places(among, size)
            return read_filter(content["filter"]), read_places(content["without"], size), number, picked

        wanted, without, number, among = await self._said(request, read)
        left = await _in(self._journal, self._session.left)
        left[without] = False
        return _json(await _in(self._cards, lambda: self._session.grids(wanted, left, number, among)))

    async def map(self, request: Request) -> Response:
        return _json(await _in(self._cards, self._session.map_state))

    async def points(self, request: Request) -> Response:
        veiled = await _in(self._journal, self._session.veiled)
        content = await _in(self._cards, lambda: self._session.map_points(veiled))
        return Response(content, media_type="application/octet-stream", headers={"cache-control": "no-store"})

    async def _said(self, request: Request, read: Callable[[Any], _T]) -> _T:
        try:
            return read(read_json(await request.body()))
        except (DecisionsError, KeyError, TypeError, ValueError):
            raise HTTPException(400) from None

    def _places(self, request: Request, most: int, name: str = "places") -> list[int]:
        try:
            places = [whole(place) for place in request.query_params[name].split(",")]
        except (KeyError, ValueError):
            raise HTTPException(400) from None
        if len(places) > most or not all(map(self._session.queue.has_place, places)):
            raise HTTPException(400)
        return places


def _number(request: Request, name: str) -> int:
    try:
        return whole(request.query_params.get(name, ""))
    except ValueError:
        raise HTTPException(400) from None


def _count(value: object) -> int:
    if type(value) is not int:
        raise TypeError("no whole number")
    return value


async def _in(pool: Executor, work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _json(content: Any, status: int = 200) -> Response:
    # half characters of a damaged title are escaped, as they can't be sent
    body = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(body, status, media_type="application/json", headers={"cache-control": "no-store"})
