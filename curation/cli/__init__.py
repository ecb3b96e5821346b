"""The command line: each command parses, makes one library call, and renders its result."""

from curation.cli.commands import main

__all__ = ["main"]
