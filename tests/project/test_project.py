"""The frame: layers, names, what is shipped."""

import ast
import configparser
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
ALL = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{path.name}" for path in DOCUMENTS)]
MODULES = sorted(path for package in ("curation", "training") for path in (ROOT / package).rglob("*.py"))


def first_paragraph(path):
    return ast.get_docstring(ast.parse(path.read_text())).split("\n\n")[0].replace("\n", " ")


def test_the_architecture_has_a_row_for_each_package_and_loose_module_with_its_own_words():
    rows = re.findall(
        r"^\| `((?:training|curation)/[^`]+)` \| (.*) \|$", (ROOT / "docs/architecture.md").read_text(), re.M
    )
    packages = {path.parent: path for path in MODULES if path.name == "__init__.py" and "plugin" not in path.parts}
    described = {f"{folder.relative_to(ROOT)}/": path for folder, path in packages.items()}
    described |= {
        str(path.relative_to(ROOT)): path
        for path in MODULES
        if path.parent.parent == ROOT and path.name != "__init__.py"
    }
    del described["training/"], described["curation/"]
    assert dict(rows) == {name: first_paragraph(path) for name, path in described.items()}


@pytest.mark.parametrize("document", ALL)
def test_source_files_that_documents_name_are_there(document):
    named = re.findall(
        r"(?<![\w/])(?:curation|training|benchmarks|tests|docs)/[\w/]+\.py\b", (ROOT / document).read_text()
    )
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_collecting_the_doctests_imports_no_fiftyone_before_its_settings_are_made():
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        if "plugin" not in path.parts and re.search(r"^(?:import|from) fiftyone", path.read_text(), re.M)
    }
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / "setup.cfg")
    options = configuration["tool:pytest"]["addopts"].split()
    assert {word.removeprefix("--ignore=") for word in options if word.endswith(".py")} == importing


def test_every_test_that_the_threat_model_names_is_there():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text()))
    written = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert len(named) > 10
    assert named - written == set()


def anchors(path):
    """Return the anchors of a document's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", ALL)
def test_every_link_with_an_anchor_leads_to_a_heading(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#:\s]*)#([^)\s]+)\)", path.read_text())
    assert [f"{to}#{anchor}" for to, anchor in links if anchor not in anchors(path.parent / to if to else path)] == []


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if "__all__" in path.read_text()],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_all_names_what_the_module_defines_in_order(path):
    tree = ast.parse(path.read_text())
    assigned = [
        node for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    names = ast.literal_eval(assigned[0].value)
    bound = set()
    # what only type checkers import is loaded by name, see tests/curation/test_api.py
    lazy = [inner for node in tree.body if isinstance(node, ast.If) for inner in node.body]
    for node in [*tree.body, *(lazy if "__getattr__" in path.read_text() else [])]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {target.id for target in targets if isinstance(target, ast.Name)}
    assert set(names) <= bound
    assert len(set(names)) == len(names)


def test_the_packages_are_named_one_by_one_and_are_all_there():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    named = set(config["options"]["packages"].split())
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES if path.name == "__init__.py"}
    assert named == there - {"curation.review.app.plugin"}


def test_every_extra_has_a_row_in_the_documents_and_the_name_to_install_is_that_of_the_distribution():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| [\d.]+ MB \|$", page, re.M)
    assert rows == sorted(set(config["options.extras_require"]) - {"test"})
    files = [*MODULES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {name for path in files for name in re.findall(r"([\w-]+)\[\w[\w,]*\]'", path.read_text(encoding="utf-8"))}
    assert named & {"curate", "curate-listings"} == {config["metadata"]["name"]}


def test_the_citation_names_this_version_and_licence():
    import yaml

    import curation

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "title", "message", "authors", "version", "license"} <= set(citation)
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert (citation["version"], citation["license"]) == (curation.__version__, config["metadata"]["license"])


def test_the_folder_datasets_holds_declarations_and_hides_no_package():
    assert not list((ROOT / "datasets").rglob("*.py"))
    code = "from datasets import Dataset; print(Dataset.__module__)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "datasets.arrow_dataset"


@pytest.mark.parametrize("path", sorted((ROOT / "datasets").glob("*/dataset.toml")), ids=lambda path: path.parent.name)
def test_every_declaration_can_be_read_and_has_a_readme(path):
    content = tomllib.loads(path.read_text())
    assert content["name"] == path.parent.name
    assert content["expected"]["listings"] > 0
    assert (path.parent / "README.md").exists()


def test_nothing_shipped_is_left_unfinished():
    for path in MODULES:
        text = path.read_text()
        assert "NotImplementedError" not in text, path
        assert "TODO" not in text, path


def test_what_the_makefile_imports_of_the_product_is_there():
    imports = re.findall(r"from ((?:curation|training)[\w.]*) import (\w+)", (ROOT / "Makefile").read_text())
    assert imports
    for module, name in imports:
        assert hasattr(importlib.import_module(module), name), module
