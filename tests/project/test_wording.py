"""The library names its own arguments and functions; only the command line spells flags and commands.

And what people read is plain English.
"""

import ast
import io
import re
import tokenize

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
    "curation/models/command_line.py": "writes the command that trains the best model",
    "curation/demo_data/write.py": "the README beside the demo says which command wrote it",
    "curation/exploration/findings.py": "the mark in explore.json of an earlier explore",
    "curation/models/trials.py": "the name of the study in Optuna's file",
    "curation/listings/other_tables.py": "writes the command of LibreOffice that makes an .xlsx",
    "curation/review/database/": "asks MongoDB's own program for its version, and starts it",
    "training/engine/cluster.py": "says how Ray and the extra are installed and started",
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
    options, wrong = options_of(main), []
    for text in named:
        # a name that is filled in is one of several that stand as such elsewhere
        for quoted in re.findall(r"`[^`]+`", text.replace("`'filled'`", "")):
            typed = spelled(quoted)
            flags = FLAG.findall(typed)
            command = COMMAND.search(typed)
            if set(flags) - options or not (flags or command):
                wrong.append((quoted, typed))
    assert wrong == []


#: Phrases that read as translated, and what to write instead.
TRANSLATED = {
    r"anew": "again",
    r"astray": "diverged",
    r"brought along": "provided",
    r"dear (rarity|item|listing|photo|one)": "expensive",
    r"for (its|their) own sake": "a single model",
    r"goes? on (from|as|where)": "resumes",
    r"(had|has|have) no say": "takes no part, has no influence",
    r"(is|are|was|were) (asked|told) (anew|out.of.fold)": "predicted",
    r"(is|are|will be) said": "prints, warns",
    r"is known of": "the facts about",
    r"judges? nothing": "takes no part",
    r"loss (is|became|becomes) no number": "diverged",
    r"no number any ?more": "diverged",
    r"nobody (has )?(decided|looked)": "without a decision, not reviewed",
    r"of whatever (dataset|kind|photo)": "of any",
    r"of which (less|more) is better": "lower is better",
    r"passed over": "ignored, skipped",
    r"read back": "loaded",
    r"(is|are) told (by|of|from)": "predicted",
    r"tells? (differences?|noise) .* from": "detects",
    r"what .{0,20}\btells? of": "predicts for",
}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [path for path in (ROOT / "curation").rglob("*") if path.suffix in (".jinja", ".js")]
PROSE = (tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))


def prose(path):
    """Return what people read of a file, on one line: all of a document, the strings and comments of a module."""
    text = path.read_text()
    if path.suffix == ".py":
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        text = " ".join(token.string.lstrip("# ") for token in tokens if token.type in PROSE)
    return " ".join(text.split())


def translated(text):
    """Return the phrases of a text that read as translated, each with what to write instead."""
    matches = ((re.search(rf"\b(?:{phrase})\b", text, re.I), plain) for phrase, plain in TRANSLATED.items())
    return {match[0]: plain for match, plain in matches if match}


def test_nothing_that_people_read_sounds_translated():
    wrong = {path.relative_to(ROOT).as_posix(): translated(prose(path)) for path in [*DOCUMENTS, *modules(), *PAGES]}
    assert {name: phrases for name, phrases in wrong.items() if phrases} == {}


@pytest.mark.parametrize(
    "text",
    [
        "what a model tells of N listings",
        "tells differences in macro-F1 from 0.03 on from none",
        "training went astray",
        "a dear rarity",
        "of whatever dataset",
        "The study goes on from here.",
        "a listing that nobody has decided on",
    ],
)
def test_a_phrase_that_sounds_translated_is_noticed(text):
    assert translated(text)
    assert translated("A listing without a decision resumes from its snapshot; the model predicts the label.") == {}
