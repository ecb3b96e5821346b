"""Every format has what the contract says, in the code, on the command line and in the documents."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from curation.cli import main
from curation.interchange.contract import FORMATS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/interchange.md").read_text()
#: The one command that writes no run.
OF_MODELS = "onnx"


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_a_module_that_writes_and_reads_as_it_says(name):
    module = importlib.import_module(FORMATS[name].module)
    chosen = FORMATS[name]
    takes = set(inspect.signature(module.write).parameters)
    assert takes == {"run", chosen.into, *chosen.options, *(["reporter"] if chosen.shows else [])}
    assert hasattr(module, "read") == bool(chosen.reads)
    assert hasattr(module, "give") == bool(chosen.gives)
    if chosen.gives:
        assert set(inspect.signature(module.give).parameters) == {"source", *chosen.finds}
    assert name == module.NAME


def test_the_command_line_and_the_documents_have_all_formats_and_no_others():
    assert sorted(main.commands["export"].commands) == sorted([*FORMATS, OF_MODELS])
    rows = re.findall(r"^\| \[`([a-z-]+)`\].* \| (.*) \| (.*) \| (.*) \|$", PAGE, re.M)
    shown = {name: tuple(rest) for name, *rest in rows if name != OF_MODELS}
    has = {each.name: (each.writes, each.reads or "nothing", each.gives or "no") for each in FORMATS.values()}
    assert shown == has


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_an_example_of_what_is_typed(name):
    assert f"    curate export {name}" in PAGE
    assert (f"    curate import-decisions {name}" in PAGE) == bool(FORMATS[name].reads)
    assert (f"    curate import-listings {name}" in PAGE) == bool(FORMATS[name].gives)


@pytest.mark.parametrize("name", FORMATS)
def test_each_command_has_the_options_of_its_format(name):
    own = {parameter.name for parameter in main.commands["export"].commands[name].params}
    chosen = FORMATS[name]
    into = "output" if chosen.into == "folder" else chosen.into
    assert own == {"run", "option", into, "as_json", *chosen.options}
