"""The group of all commands: an error of ours becomes one line and an exit code."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from curation.cli.advice import advised
from curation.cli.terminal import echo
from curation.errors import CurateError, InputError
from curation.rendering.visible import visible
from curation.rendering.words import joined
from training.utils.machine import machine_error, resumes

__all__ = ["FOREVER", "Group", "no_time"]

#: What `--wait` alone stands for.
FOREVER = "forever"
#: Where a context keeps what was typed.
_TYPED = "curate.typed"


def no_time(text: str) -> InputError:
    """Return the error of a time to wait that is none."""
    fix = "--wait alone has no limit."
    return InputError("a duration can't be read", got=repr(text), wanted="--wait=10m, 90s or 1h30m", fix=fix)


class _Failure(click.ClickException):
    """One of our errors, shown without a traceback."""

    def __init__(self, error: CurateError) -> None:
        super().__init__(visible(advised(str(error))))
        # click reads it from the exception; ours differ by what went wrong
        self.exit_code = error.exit_code  # type: ignore[misc]


@contextmanager
def _visible_usage() -> Iterator[None]:
    """Let click's own errors repeat what was typed visibly, as ours do."""
    try:
        yield
    except click.ClickException as error:
        error.message = visible(error.message)  # type: ignore[misc]  # click shows it later
        raise


def _say_whose(error: click.NoSuchOption, commands: Mapping[str, click.Command]) -> None:
    """Name the commands that have an option which this one has not, in place of options of this one that look alike."""
    has = [name for name, each in commands.items() if any(error.option_name in option.opts for option in each.params)]
    if has:
        whose = f". It is an option of curate {joined(has)}."
        error.message, error.possibilities = error.message.removesuffix(".") + whose, None  # type: ignore[misc]  # click shows it later


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """Print how a thread failed, unless the machine refused: whoever waits for the thread says so in one line."""
    if failure.exc_value is None or machine_error(failure.exc_value) is None:
        threading.__excepthook__(failure)


def _open_streams() -> None:
    """Lead standard streams that are closed to nowhere: what a command does must not hang on who hears of it.

    Otherwise the next file that is opened takes the number of a closed stream, and what libraries print goes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # the lowest number that is free
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole process


class Group(click.Group):
    """A group whose commands may raise our errors."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program."""
        _open_streams()
        return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments before the command."""
        with _visible_usage():
            return super().make_context(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what was typed, so that it can be advised again."""
        ctx.meta[_TYPED] = shlex.join(["curate", *args])
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command and its arguments; `--wait` takes the next one only if that is a time."""
        name, command, rest = super().resolve_command(ctx, args)
        ends = [*rest, ""][1:]
        if command is not None and any("--wait" in parameter.opts for parameter in command.params):
            # click would take it for an option
            negative = re.search(r"(?:^|\n)--wait[=\n](-\d.*)", "\n".join(rest))
            if negative:
                raise no_time(negative[1])
            rest = [
                f"--wait={FOREVER}" if word == "--wait" and not after[:1].isdecimal() else word
                for word, after in zip(rest, ends, strict=True)
            ]
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; render our errors as one line on stderr."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # as stderr does: a name of a file that is no UTF-8 is printed with escapes
            sys.stdout.reconfigure(errors="backslashreplace")
        threading.excepthook = _thread_failed
        try:
            with _visible_usage():
                return super().invoke(ctx)
        except click.NoSuchOption as error:
            _say_whose(error, self.commands)
            raise
        except CurateError as error:
            raise _Failure(error) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            # click ends the command; a reader that has seen enough, e.g. head, is no error
            raise
        except Exception as error:
            if (refusal := machine_error(error)) is None:
                raise
            raise _Failure(refusal) from error
        except KeyboardInterrupt as error:
            again = "Resume where it stopped" if resumes(error) else "Start again"
            echo(f"Interrupted. {again} with: {ctx.meta[_TYPED]}", err=True)
            ctx.exit(1)
