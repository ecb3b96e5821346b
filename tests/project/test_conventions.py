"""What holds in every module: names, docstrings, and no state of its own."""

import ast
import importlib
import re
import sys
from types import ModuleType

import pytest

from tests.curation.review.test_review import NO_MONGOD, our_fiftyone
from tests.project.structure import ROOT, modules

#: Modules that FiftyOne imports in a process of its own.
PLUGIN = "curation/review/app/plugin/"

#: Modules that change the environment or hold a global, and why.
MAY_HOLD_STATE = {
    "curation/review/server/application.py": "FiftyOne takes its settings from the environment of the process",
    "curation/review/app/environment.py": "FiftyOne takes its settings from the environment when it is first imported",
    "training/utils/parallel.py": "a process of a cluster uses the cores that its part was given",
    "training/__init__.py": "libraries read whether they may report their use while they are imported",
}

#: Parameters that mean the same everywhere: what draws, the source of randomness, where progress goes.
UNDERSTOOD = {"pen", "rng", "reporter"}

CHANGES_ENVIRONMENT = {"pop", "setdefault", "update", "clear", "popitem"}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def importable():
    """Return the dotted names of all modules and packages, those of the plugin aside."""
    names = []
    for path in modules():
        if not name_of(path).startswith(PLUGIN):
            parts = path.relative_to(ROOT).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def test_importing_a_module_gives_the_module_and_not_a_function_of_the_same_name():
    names = importable()
    assert len(names) > 200
    if not NO_MONGOD:
        # some of them import FiftyOne, and whoever does so first in a process decides on its database
        our_fiftyone()
    for name in names:
        importlib.import_module(name)
    hidden = []
    for name in names:
        package, _, module = name.rpartition(".")
        if package and not isinstance(getattr(sys.modules[package], module), ModuleType):
            hidden.append(name)
    assert hidden == []


def is_environment(node):
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def state(path):
    """Return the lines on which a module changes the process: a global, the environment, the umask."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript):
            changes = is_environment(node.value) and not isinstance(node.ctx, ast.Load)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            changes = is_environment(node.func.value) and node.func.attr in CHANGES_ENVIRONMENT
            changes = changes or node.func.attr in ("putenv", "unsetenv", "umask")
        else:
            changes = isinstance(node, ast.Global)
        if changes:
            lines.append(node.lineno)
    return lines


def test_no_module_has_globals_changes_the_environment_or_sets_the_umask_but_those_with_a_reason():
    changes = {name_of(path): lines for path in modules() if (lines := state(path))}
    assert {name: lines for name, lines in changes.items() if name not in MAY_HOLD_STATE} == {}
    assert set(MAY_HOLD_STATE) <= set(changes)


def section(docstring, title):
    """Return the names that a section of a numpydoc docstring describes; None without that section."""
    part = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.M | re.S)
    if not part:
        return None
    heads = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: :.*)?$", part[1], re.M)
    return {name.strip(" *") for head in heads for name in head.split(",")}


def parameters_of(function):
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [each for each in (arguments.vararg, arguments.kwarg) if each]
    return {each.arg for each in named if not each.arg.startswith("_")} - {"self", "cls"}


def fields_of(dataclass):
    """Return the public fields of a dataclass; none of another class."""
    if not any("dataclass" in ast.unparse(decorator) for decorator in dataclass.decorator_list):
        return set()
    fields = {node.target.id for node in dataclass.body if isinstance(node, ast.AnnAssign)}
    return {name for name in fields if not name.startswith("_")}


def what_is_missing(node):
    """Return what a docstring lacks.

    It describes all parameters, or all fields, in a section, or names them in its text, or refers to a function that
    does. One parameter may go unnamed: what the function is about.
    """
    docstring = ast.get_docstring(node)
    if not docstring:
        return "docstring"
    if re.search(r"[Pp]arameters(?: and errors)?\s+as\s+of\s+:func:", docstring):
        return ""
    if isinstance(node, ast.ClassDef):
        names, title, unnamed = fields_of(node), "Attributes", 0
        described = section(docstring, title) or section(docstring, "Parameters")
    else:
        names, title, unnamed = parameters_of(node), "Parameters", 1
        described = section(docstring, title)
    if described is not None and names:
        wrong = sorted(names - described - UNDERSTOOD) + sorted(described - names)
        return f"{title}: {', '.join(wrong)}" if wrong else ""
    missing = sorted(name for name in names - UNDERSTOOD if f"`{name}`" not in docstring)
    return f"{title} for {', '.join(missing)}" if len(missing) > unnamed else ""


def public(path):
    """Return the functions and classes that a module defines and names in ``__all__``."""
    body = ast.parse(path.read_text()).body
    exported = [
        node.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    names = ast.literal_eval(exported[0]) if exported else []
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names]


#: On the command line, docstrings are the texts of help.
DOCUMENTED = [path for path in modules() if not name_of(path).startswith("curation/cli/") and public(path)]


@pytest.mark.parametrize("path", DOCUMENTED, ids=name_of)
def test_public_names_say_what_their_parameters_and_fields_are(path):
    missing = {node.name: what for node in public(path) if (what := what_is_missing(node))}
    assert missing == {}
