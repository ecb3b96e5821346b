"""The structure of the code, counted from its imports: ``python -m tests.project.structure [ROOT]`` prints it.

A room is a package or a loose module of ``curation`` or ``training``. It stands one floor above the highest room that
it imports. An arrow is an import of one room by another; it runs back where the importer does not stand above what it
imports, which happens only in a cycle.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("curation", "training")


def modules(root: Path = ROOT) -> list[Path]:
    """Return the source files of both packages."""
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports, those inside functions too; of ``from a import b``, both
    readings."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def room_of(dotted: str, root: Path = ROOT) -> str | None:
    """Return the room that a dotted name is in, e.g. ``curation.issues``; None outside of both packages."""
    package, _, rest = dotted.partition(".")
    if package not in PACKAGES:
        return None
    first = rest.partition(".")[0]
    there = root / package / first
    if first not in ("", "__init__") and (there.is_dir() or there.with_suffix(".py").is_file()):
        return f"{package}.{first}"
    return package


def arrows(root: Path = ROOT) -> dict[str, set[str]]:
    """Return which rooms each room imports."""
    imports: dict[str, set[str]] = {}
    for path in modules(root):
        room = room_of(".".join(path.relative_to(root).with_suffix("").parts), root)
        assert room is not None
        targets = {room_of(name, root) for name in imported(path)} - {None, room, *PACKAGES}
        if room not in PACKAGES:
            imports.setdefault(room, set()).update(target for target in targets if target)
    return imports


def floors(graph: dict[str, set[str]]) -> dict[str, int]:
    """Return the floor of each room, the ground floor being 1; a room in a cycle stands on what is not in it."""
    floors: dict[str, int] = {}

    def floor(room: str, above: tuple[str, ...]) -> int:
        if room not in floors:
            below = [floor(other, (*above, room)) for other in graph.get(room, ()) if other not in (*above, room)]
            floors[room] = 1 + max(below, default=0)
        return floors[room]

    for room in sorted(graph):
        floor(room, ())
    return floors


def back_arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that do not lead down."""
    standing = floors(graph)
    return sorted((a, b) for a, others in graph.items() for b in others if standing[a] <= standing.get(b, 0))


def main(root: Path) -> None:
    """Print rooms, floors and arrows of each package, loose modules and long ones."""
    graph = arrows(root)
    for package in PACKAGES:
        inside = {a: {b for b in to if b.startswith(package)} for a, to in graph.items() if a.startswith(package)}
        standing = floors(inside)
        loose = sorted(path.name for path in (root / package).glob("*.py"))
        print(
            f"{package}: {len(inside)} rooms, {max(standing.values())} floors, "
            f"{sum(map(len, inside.values()))} arrows, {len(back_arrows(inside))} back; {len(loose)} loose modules"
        )
        for number in range(max(standing.values()), 0, -1):
            print(f"  {number:2}  " + ", ".join(sorted(room for room, at in standing.items() if at == number)))
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(root)}
    long = {str(path.relative_to(root)): lines for path, lines in lengths.items() if lines > 300}
    print(f"{len(lengths)} modules, {sum(lengths.values())} lines; over 300 lines: {long}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
