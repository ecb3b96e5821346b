"""Makes pages of the site that have no file in docs/: MkDocs calls the functions named ``on_…`` (`make docs`).

The reference of the commands comes from click, that of the Python API from docstrings, the tutorial from its notebook,
and documents of other folders are taken as they stand. Links between files of the repository lead to the pages that
show them.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
# the commands of this checkout, whatever is installed
sys.path.insert(0, str(ROOT))

#: Documents outside of docs/ that are pages, too.
OUTSIDE = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "benchmarks/README.md"]
OUTSIDE += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "datasets").rglob("README.md"))

#: Page of each file of the repository that is one under another name.
PAGES = {name: f"project/{name.removesuffix('.md').lower()}.md" for name in OUTSIDE}
PAGES |= {"docs/tutorial.ipynb": "tutorial.md"}

COMMANDS = "reference/commands.md"


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made."""
    made = {page: relinked((ROOT / name).read_text(encoding="utf-8"), name) for name, page in PAGES.items()}
    made["project/license.md"] = f"# Licence\n\n```text\n{made['project/license.md']}\n```\n"
    notebook = json.loads((ROOT / "docs/tutorial.ipynb").read_text(encoding="utf-8"))
    made["tutorial.md"] = "\n\n".join(shown(notebook["cells"]))
    made[COMMANDS] = "\n\n".join(commands())
    made |= reference((ROOT / "docs/api.md").read_text(encoding="utf-8"))
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead the links of a document of docs/ to pages."""
    return relinked(markdown, f"docs/{page.file.src_uri}") if page.file.generated_by is None else markdown


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Name the search for who hears the page: the theme leaves it without a name."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def relinked(text: str, name: str) -> str:
    """Return a document whose links lead to pages.

    Parameters
    ----------
    text : str
        Markdown.
    name : str
        Its file, relative to the repository.
    """
    own = posixpath.dirname(page_of(name))

    def lead(link: re.Match[str]) -> str:
        to = posixpath.normpath(posixpath.join(posixpath.dirname(name), link[1]))
        return f"]({posixpath.relpath(page_of(to), own or '.')}"

    return re.sub(r"\]\(((?![a-z]+:)[^)#\s]+)", lead, text)


def page_of(name: str) -> str:
    """Return the page, or file of the site, that shows a file of the repository."""
    return PAGES.get(name, name.removeprefix("docs/"))


def shown(cells: list[dict[str, Any]]) -> Iterator[str]:
    """Yield Markdown of a notebook's cells with their stored outputs."""
    for cell in cells:
        source = "".join(cell["source"])
        yield relinked(source, "docs/tutorial.ipynb") if cell["cell_type"] == "markdown" else fenced(source, "python")
        for output in cell.get("outputs", []):
            data = {kind: "".join(text) for kind, text in output.get("data", {}).items()}
            if "text/html" in data:
                # a blank line would end it, and the theme draws only tables without a class
                yield re.sub(r"\n\s*\n", "\n", data["text/html"].replace(' border="1" class="dataframe"', ""))
            elif "image/png" in data:
                picture = "".join(data["image/png"].split())
                yield f'<img alt="What the cell draws" src="data:image/png;base64,{picture}">'
            else:
                yield fenced(data.get("text/plain", ""), "text")


def fenced(text: str, language: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.strip(chr(10))}\n```"


def reference(overview: str) -> dict[str, str]:
    """Return pages of the Python API: one for each section of its overview, with what that names first."""
    import curation
    from curation import errors

    homes = dict.fromkeys(errors.__all__, "curation.errors") | dict.fromkeys(curation.__all__, "curation")
    pages = {}
    parts = re.split(r"^## (.+)\n", overview, flags=re.M)[1:]
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        named = [name for name in re.findall(r"(?:`|── |^    )(\w+)", text, flags=re.M) if name in homes]
        entries = [f"::: {homes.pop(name)}.{name}" for name in dict.fromkeys(named) if name != "Run"]
        pages[f"reference/{title.lower()}.md"] = f"# {title}\n\n" + "\n\n".join(entries)
    # it is the largest, and its methods are written in several classes
    pages["reference/run.md"] = "# A run\n\n::: curation.Run\n    options:\n      inherited_members: true\n"
    return pages


def commands() -> Iterator[str]:
    """Yield Markdown of all commands, from what they themselves say with ``--help``."""
    from curation.cli import main

    yield "# Help of every command"
    yield "What `--help` prints. [Commands](../commands.md) has the rules, exit codes and JSON."
    yield from command_page(main, click.Context(main, info_name="curate", **main.context_settings), 2)


def command_page(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    """Yield Markdown of a command and those below it."""
    yield f"{'#' * level} {context.command_path}"
    usage = context.make_formatter()
    usage.width = 10_000
    command.format_usage(context, usage)
    yield fenced(usage.getvalue().removeprefix("Usage: "), "text")
    for paragraph in re.split(r"\n\n+", (command.help or "").strip()):
        # click's sign that lines stay as they are
        kept = paragraph.lstrip().startswith("\b")
        yield fenced(paragraph.replace("\b\n", ""), "text") if kept else literal(paragraph)
    records = [each.get_help_record(context) for each in command.get_params(context)]
    rows = [f"| <code>{literal(names)}</code> | {literal(text)} |" for names, text in filter(None, records) if text]
    yield "\n".join(["| option | |", "|---|---|", *rows])
    if command.epilog:
        yield fenced(command.epilog.replace("\b\n", ""), "text")
    for name, each in sorted(getattr(command, "commands", {}).items()):
        below = click.Context(each, info_name=name, parent=context, **each.context_settings)
        yield from command_page(each, below, min(level + 1, 3) if context.parent else level)


def literal(text: str) -> str:
    """Return text as Markdown that shows it as it stands, but for what stands in backquotes."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(
        part if part.startswith("`") else re.sub(r"[\\*_\[\]<>|&{}]", lambda sign: f"&#{ord(sign[0])};", part)
        for part in parts
    )
