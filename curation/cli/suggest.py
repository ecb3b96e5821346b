"""The group: errors become one line and an exit code, near-miss names get a suggestion."""

from __future__ import annotations

from typing import Any

import click

from curation.errors import CurateError

__all__ = ["SuggestingGroup"]


class _Failure(click.ClickException):
    """One of our errors, shown without a traceback."""

    def __init__(self, error: CurateError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code


class SuggestingGroup(click.Group):
    """A group whose commands may raise our errors."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; render our errors as one line on stderr."""
        try:
            return super().invoke(ctx)
        except CurateError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            click.echo("Interrupted; the same command goes on from here.", err=True)
            ctx.exit(1)
