"""The edits of FiftyOne's Annotate tab, recorded as decisions when the reviewer's browser sends them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from curation.errors import CurateError
from curation.review.app.edits import edited_label, put_back, record_edit
from curation.review.app.mirror import look_at
from curation.review.server.asgi import App, Message, Receive, Scope, Send, answer
from curation.run.folder import RunFolder

__all__ = ["Annotated"]

_SAMPLE = re.compile(r"/dataset/([0-9a-f]{24})/sample/([0-9a-f]{24})")


class Annotated:
    """An ASGI app that records what the Annotate tab sends, and passes everything else on.

    An answer says that an edit was made only if it is in the journal.

    Parameters
    ----------
    app : ASGI app
        FiftyOne's server.
    dataset : fiftyone.Dataset
        The dataset of the run; others can't be edited.
    run : RunFolder
        The run.
    reviewer : str
        Whose browser it is.
    """

    def __init__(self, app: App, dataset: Any, run: RunFolder, reviewer: str) -> None:
        self._app = app
        self._dataset = dataset
        self._dataset_id = str(dataset._doc.id)
        self._run = run
        self._reviewer = reviewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; record an edit that FiftyOne has accepted."""
        edited = _SAMPLE.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if edited is None:
            await self._app(scope, receive, send)
            return
        if edited[1] != self._dataset_id:
            await answer(send, 403, "Another dataset than that of this review.")
            return
        message = await receive()  # the guard has read all of it
        answered: list[Message] = []

        async def again() -> Message:
            return message

        async def keep(part: Message) -> None:
            answered.append(part)

        await self._app(scope, again, keep)
        label = edited_label(message["body"])
        if label is not None and answered and answered[0]["status"] < 300:
            try:
                await asyncio.to_thread(record_edit, self._dataset, self._run, self._reviewer, edited[2], label)
            except CurateError as error:
                rows = await asyncio.to_thread(look_at, self._dataset, [edited[2]])
                await asyncio.to_thread(put_back, self._dataset, self._run, rows)
                await answer(send, 409, str(error))
                return
        for part in answered:
            await send(part)
