"""Reporters for tests."""

from contextlib import contextmanager


class Listener:
    """A reporter that collects its lines, and passes lines and steps on."""

    def __init__(self, say=lambda line: None, progress=lambda done, total: None):
        self.lines, self._say, self._progress = [], say, progress

    def say(self, line):
        self.lines.append(line)
        self._say(line)

    @contextmanager
    def bar(self, what):
        yield self._progress
