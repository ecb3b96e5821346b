"""The files that the App may send: those of its samples, and of listings that a card shows beside one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from curation.review.app.thumbnails import Source
from curation.review.server.allowed import servable
from curation.run.folder import RunFolder
from curation.run.own_photos import OwnPhotos

__all__ = ["Files", "files_of"]


class Files:
    """Files of a run, which the server and the cards of one process share.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Attributes
    ----------
    sources : dict of str to Source
        What each file shows.
    photos : set of str
        The files that may be sent, with links in their folders' paths resolved.
    outside : set of str
        Photos that may not, because they lead to other files.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.start()

    def start(self) -> None:
        """Forget all files."""
        self._own = OwnPhotos(self._run)
        self.sources: dict[str, Source] = {}
        self.photos: set[str] = set()
        self.outside: set[str] = set()

    def add(self, files: Mapping[str, Source]) -> None:
        """Let the App send files, but for those of photos that are not the run's.

        Parameters
        ----------
        files : mapping of str to Source
        """
        new = {file: source for file, source in files.items() if file not in self.sources}
        shown = {source.photo for source in new.values() if source.photo}
        _, outside = servable(shown)
        self.outside |= outside | {photo for photo in shown if not self._own.may_be_shown(photo)}
        # a copy of a photo shows what the photo shows
        own = {file: source for file, source in new.items() if source.photo not in self.outside}
        self.photos |= servable(own)[0]
        self.sources |= own


@lru_cache(maxsize=2)
def files_of(run: RunFolder) -> Files:
    """Return the files of a run that this process may send."""
    return Files(run)
