"""The library names its own arguments and functions; only the command line spells flags and commands."""

import ast
import re

import pytest

from curation.cli.commands import main
from curation.cli.spelling import spelled
from tests.project.structure import ROOT, modules

COMMANDS = {*main.commands, "runs diff"}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMAND = re.compile(rf"\bcurate (?:{'|'.join(sorted(COMMANDS))})\b")

#: Files that may name flags and commands, and why.
MAY_NAME = {
    "curation/report/reproduce.py": "prints the commands that repeat a run",
    "curation/models/command_line.py": "writes the command that trains the model which was found",
    "curation/demo_data/write.py": "the README beside the demo says which command wrote it",
    "curation/exploration/explore.py": "the mark in explore.json by which an earlier look is known",
    "curation/models/trials.py": "the name of the study in Optuna's file",
    "curation/review/server/mongod.py": "asks MongoDB's own program for its version",
    "curation/review/commands.py": "what its pages, which no program respells, tell a person to type",
}
LIBRARY = [path for path in modules() if not path.is_relative_to(ROOT / "curation/cli")]


def literals(path):
    """Return the string literals of a file, f-strings with a name in place of what is filled in, and its docstrings."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts, described, within = [], [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            within |= {id(value) for value in node.values}
            texts.append("".join(str(v.value) if isinstance(v, ast.Constant) else "'filled'" for v in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            (described if id(node) in docstrings else texts).append(node.value)
    return texts, described


def exempt(path):
    name = str(path.relative_to(ROOT))
    return any(name == file or (file.endswith("/") and name.startswith(file)) for file in MAY_NAME)


@pytest.mark.parametrize(
    "path", [path for path in LIBRARY if not exempt(path)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_library_never_names_a_flag_or_a_command(path):
    texts, described = literals(path)
    if path.is_relative_to(ROOT / "training"):
        texts += described
    assert [text for text in texts if FLAG.search(text) or COMMAND.search(text)] == []


def test_every_file_that_may_name_them_does():
    for name in MAY_NAME:
        files = [path for path in LIBRARY if str(path.relative_to(ROOT)).startswith(name)]
        assert any(FLAG.search(text) or COMMAND.search(text) for path in files for text in literals(path)[0]), name


def options_of(command):
    """Return the options of a command and of those below it."""
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return options.union(*(options_of(other) for other in getattr(command, "commands", {}).values()))


def test_what_the_library_names_in_backquotes_is_an_option_or_a_command():
    named = [text for path in LIBRARY if not exempt(path) for text in literals(path)[0] if "`" in text]
    assert len(named) > 30
    known, wrong = options_of(main), []
    for text in named:
        # a name that is filled in is one of several that stand as such elsewhere
        for quoted in re.findall(r"`[^`]+`", text.replace("`'filled'`", "")):
            typed = spelled(quoted)
            flags = FLAG.findall(typed)
            command = COMMAND.search(typed)
            if set(flags) - known or not (flags or command):
                wrong.append((quoted, typed))
    assert wrong == []
