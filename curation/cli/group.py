"""The group of all commands: an error of ours becomes one line and an exit code."""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from curation.cli.spelling import spelled
from curation.errors import CurateError

__all__ = ["Group"]


class _Failure(click.ClickException):
    """One of our errors, shown without a traceback."""

    def __init__(self, error: CurateError) -> None:
        super().__init__(spelled(str(error)))
        # click reads it from the exception; ours differ by what went wrong
        self.exit_code = error.exit_code  # type: ignore[misc]


class Group(click.Group):
    """A group whose commands may raise our errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; render our errors as one line on stderr."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # as stderr does: a name of a file that is no UTF-8 is printed with escapes
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except CurateError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(1)
