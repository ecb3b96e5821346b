"""Which changes of the code would no test notice? A mutation check of the parts that decide what is flagged.

    python benchmarks/mutants.py --results mutants.json
    python benchmarks/mutants.py --results mutants.json --only curation/issues/label
    python benchmarks/mutants.py --results mutants.json --documented
    python benchmarks/mutants.py --results mutants.json --again
    python benchmarks/mutants.py --list

A mutant is the code with one change. `--documented` makes only the changes of named numbers: constants of a module,
the worth of an issue kind, defaults of arguments, and the comparisons with them (`<` becomes `<=`). Without it there
are also those of the other numbers, of all comparisons (`<` becomes `>=`, `==` becomes `!=`), and of rules (`and`
becomes `or`, `min` becomes `max`, a `not` is dropped). Each mutant is tried on the tests that belong to its module, in
a copy of the code; the checkout is never changed. A test that fails has noticed it. `--sample` tries some of all, drawn
at random.

The results file is written after every mutant, and what is in it is not tried again. `--again` tries those that
survived, after tests were added. A result belongs to the text of its line; a changed line is a new mutant.

A survivor that changes no result that a test could hold (the size of blocks, a limit of memory or of convergence, a
comparison of floats that are never equal) is shown with that reason, and counted among those that were tried.

DeMillo, Lipton and Sayward, "Hints on Test Data Selection", Computer 1978.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: What is mutated, and the tests that belong to it, the most telling first; the first prefix that fits holds.
TESTS = {
    "curation/evidence/probabilities.py": ["tests/curation/evidence/test_probabilities.py"],
    "curation/evidence/titles.py": ["tests/curation/evidence/test_titles.py"],
    "curation/evidence/split.py": ["tests/curation/evidence/test_split.py", "tests/curation/evidence/test_prepare.py"],
    "curation/evidence/out_of_fold.py": ["tests/curation/evidence/test_out_of_fold.py", "tests/curation/test_find.py"],
    "curation/evidence/class_prices.py": [
        "curation/evidence/class_prices.py",
        "tests/curation/evidence/test_class_prices.py",
        "tests/curation/issues/test_prices.py",
    ],
    "curation/evidence": [
        "curation/evidence/log_odds.py",
        "tests/curation/evidence/test_sources.py",
        "tests/curation/evidence/test_pool.py",
        "tests/curation/evidence/test_belief.py",
        "tests/curation/issues/test_labels.py",
        "tests/curation/issues/test_issues.py",
    ],
    "curation/issues/label": [
        "curation/issues/label/chances.py",
        "curation/issues/label/noise.py",
        "tests/curation/issues/test_threshold.py",
        "tests/curation/issues/test_judge.py",
        "tests/curation/issues/test_labels.py",
        "tests/curation/issues/test_issues.py",
    ],
    "curation/issues/price": [
        "curation/issues/price/digits.py",
        "tests/curation/issues/test_mistakes.py",
        "tests/curation/issues/test_price_parts.py",
        "tests/curation/issues/test_prices.py",
        "tests/curation/issues/test_regression.py",
        "tests/curation/issues/test_issues.py",
    ],
    "curation/issues/health.py": ["tests/curation/issues/test_health.py"],
    "curation/issues/summary.py": ["tests/curation/issues/test_summary.py"],
    "curation/issues/outlier.py": ["tests/curation/issues/test_outlier.py", "tests/curation/issues/test_queue.py"],
    "curation/issues/photo_quality.py": [
        "tests/curation/issues/test_photo_quality.py",
        "tests/curation/issues/test_queue.py",
    ],
    "curation/issues/indirect_image.py": [
        "tests/curation/issues/test_indirect_image.py",
        "tests/curation/issues/test_queue.py",
    ],
    "curation/issues": [
        "tests/curation/issues/test_near_duplicate.py",
        "tests/curation/issues/test_queue.py",
        "tests/curation/issues/test_issues.py",
        "tests/curation/issues/test_registry.py",
    ],
    "training/evaluation/metrics.py": ["training/evaluation/metrics.py", "tests/training/evaluation"],
    "training/evaluation": ["training/evaluation/bootstrap.py", "tests/training/evaluation"],
    "curation/run/journal.py": ["curation/run/journal.py", "tests/curation/run/test_decisions.py"],
    "curation/run/journal_file.py": ["tests/curation/run/test_decisions.py", "tests/curation/run/test_journal_file.py"],
    "curation/run/journal_lines.py": [
        "tests/curation/run/test_decisions.py",
        "tests/curation/run/test_journal_file.py",
    ],
    "curation/run/decisions.py": [
        "tests/curation/run/test_decisions.py",
        "tests/curation/run/test_decide.py",
        "tests/curation/fixes/test_plan.py",
        "tests/curation/fixes/test_versions.py",
    ],
    "curation/fixes": ["tests/curation/fixes/test_plan.py", "tests/curation/fixes/test_versions.py"],
}
_SWAPS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
#: Where a named number stands on one side, the boundary moves, too.
_BOUNDARIES = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
_EXTREMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
_EXTREMES |= {"argmin": "argmax", "argmax": "argmin", "any": "all", "all": "any"}
#: Constants that change no result that a test could hold.
_EQUIVALENT = {
    "size of blocks or bins": ("_CHUNK", "_BIN"),
    "limit of memory": ("_VOCABULARY",),
    "limit of convergence": ("_UPDATES", "_SHARE_UPDATES", "_TOLERANCE"),
}
#: Comparisons with these change a result only where two computed floats are equal to the last digit.
_CONTINUOUS = {"LEAST_SPREAD", "TOLERANCE", "SUGGESTS_FROM", "SUPPORTS", "FLAGGED_FROM"}
#: A mutant that makes the tests take this many times as long as usual runs for ever, which is noticed.
_TIMES, _LEAST_SECONDS = 5, 60


@dataclass(frozen=True)
class Mutant:
    """One change of a file: bytes `start` to `end` become `new`."""

    file: str
    start: int
    end: int
    old: str
    new: str
    line: int
    text: str
    kind: str

    @property
    def key(self) -> str:
        """What a result is kept under."""
        return f"{self.file} | {self.text} | {self.old} -> {self.new}"

    @property
    def equivalent(self) -> str:
        """Why no test can notice it; empty for most."""
        if (self.old, self.new) in _BOUNDARIES.values():
            compared = set(re.findall(r"\w+", self.text))
            return "floats that are never equal" if compared & _CONTINUOUS else ""
        name = self.text.partition(" = ")[0]
        return next((why for why, names in _EQUIVALENT.items() if name in names), "")


def main() -> None:
    """Try the mutants, and print how many were noticed and which were not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="PREFIX", help="of a file, e.g. curation/fixes")
    parser.add_argument("--documented", action="store_true", help="named numbers only")
    parser.add_argument("--sample", type=int, metavar="N", help="try N of the mutants, drawn at random")
    parser.add_argument("--results", type=Path, default=Path("mutants.json"), help="where results are kept")
    parser.add_argument("--again", action="store_true", help="try those that survived once more")
    parser.add_argument("--list", action="store_true", help="show the mutants and try none")
    arguments = parser.parse_args()
    mutants = [
        mutant
        for mutant in _numbered(all_mutants())
        if (not arguments.only or mutant.file.startswith(tuple(arguments.only)))
        and (not arguments.documented or mutant.kind == "documented")
    ]
    if arguments.sample is not None and arguments.sample < len(mutants):
        chosen = sorted(random.Random(0).sample(range(len(mutants)), arguments.sample))
        mutants = [mutants[number] for number in chosen]
    if arguments.list:
        for mutant in mutants:
            print(f"{mutant.kind:10} {mutant.file}:{mutant.line}: {mutant.old} -> {mutant.new}: {mutant.text}")
        print(f"{len(mutants)} mutants")
        return
    results = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    todo = [
        mutant
        for mutant in mutants
        if mutant.key not in results or (arguments.again and results[mutant.key]["noticed"] is False)
    ]
    if todo:
        _try_all(todo, results, arguments.results)
    _print(mutants, results)


def all_mutants() -> Iterator[Mutant]:
    """Yield every mutant, file by file."""
    for prefix in ("curation/evidence", "curation/issues", "training/evaluation", "curation/fixes"):
        for path in sorted((ROOT / prefix).rglob("*.py")):
            yield from mutants_of(path)
    for name in ("journal.py", "journal_file.py", "journal_lines.py", "decisions.py"):
        yield from mutants_of(ROOT / "curation" / "run" / name)


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of one file, in the order of its lines."""
    return iter(sorted(_Finder(path).mutants, key=lambda mutant: (mutant.start, mutant.new)))


def _numbered(mutants: Iterator[Mutant]) -> Iterator[Mutant]:
    """Tell equal changes of equal lines apart."""
    counts: Counter[str] = Counter()
    for mutant in mutants:
        counts[mutant.key] += 1
        number = counts[mutant.key]
        text = mutant.text if number == 1 else f"{mutant.text} [{number}]"
        yield Mutant(**{**mutant.__dict__, "text": text})


class _Finder(ast.NodeVisitor):
    """Collects the mutants of a file."""

    def __init__(self, path: Path) -> None:
        self._file = str(path.relative_to(ROOT))
        self._source = path.read_bytes()
        self._lines = self._source.split(b"\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._documented = False
        self.mutants: list[Mutant] = []
        tree = ast.parse(self._source)
        for node in tree.body:
            self._documented = isinstance(node, ast.Assign) and not _is_name(node.targets, "__all__")
            self.visit(node)

    def _add(self, start: int, end: int, new: str, kind: str) -> None:
        line = next(number for number, first in enumerate(self._starts) if first > start)
        old, text = self._source[start:end].decode(), self._lines[line - 1].decode().strip()
        self.mutants.append(Mutant(self._file, start, end, old, new, line, text, kind))

    def _start(self, node: ast.expr) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return
        for value in _other_numbers(node.value, self._documented):
            self._add(self._start(node), self._end(node), repr(value), "documented" if self._documented else "number")

    def visit_keyword(self, node: ast.keyword) -> None:
        # the worth of a kind is documented, its order is not
        was, self._documented = self._documented, self._documented and node.arg != "order"
        if not (was and node.arg == "order"):
            self.visit(node.value)
        self._documented = was

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]:
            self._documented = True
            self.visit(default)
            self._documented = False
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        # not the annotation
        if node.value is not None:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        # expressions in f-strings have no places of their own before Python 3.12
        return

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            start, end = self._end(left), self._start(right)
            self._swap(_SWAPS, operator, start, end, "comparison")
            if _names_a_number(left) or _names_a_number(right):
                self._swap(_BOUNDARIES, operator, start, end, "documented")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._swap(_SWAPS, node.op, self._end(left), self._start(right), "rule")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._swap(_SWAPS, node.op, self._end(node.left), self._start(node.right), "rule")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.Invert):
            self._add(self._start(node), self._start(node.operand), "", "rule")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _EXTREMES:
            end = self._end(node.func)
            self._add(end - len(name), end, _EXTREMES[name], "rule")
        self.generic_visit(node)

    def _swap(self, swaps: Mapping[type, tuple[str, str]], operator: ast.AST, start: int, end: int, kind: str) -> None:
        if type(operator) not in swaps:
            return
        old, new = swaps[type(operator)]
        between = self._source[start:end].decode()
        place = between.find(old)
        self._add(start + place, start + place + len(old), new, kind)


def _names_a_number(side: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id.strip("_").isupper() for node in ast.walk(side))


def _is_name(targets: Sequence[ast.expr], name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _other_numbers(value: float, documented: bool) -> list[float]:
    """Return what a number is changed to: the next whole one, or twice as much; of a documented one, also half."""
    if isinstance(value, int):
        if value < 3:
            return [value + 1]
        return [2 * value, value // 2] if documented else [value + 1]
    if value == 0:
        return [1.0]
    return [2 * value, value / 2] if documented else [2 * value]


def tests_of(file: str) -> list[str]:
    """Return the tests that belong to a file, those that are there."""
    for prefix, tests in TESTS.items():
        if file.startswith(prefix):
            there = [test for test in tests if (ROOT / test).exists()]
            # doctests of the module itself
            return [file, *(test for test in there if test != file)]
    raise SystemExit(f"no tests are named for {file}")


def _try_all(todo: Sequence[Mutant], results: dict[str, Any], file: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copy = Path(name)
        for part in ("curation", "training", "tests", "datasets", "benchmarks"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("setup.cfg", "pyproject.toml", "cli.py"):
            shutil.copy(ROOT / part, copy)
        (copy / "mutant").mkdir()
        _use(copy)
        groups = list(dict.fromkeys(tuple(tests_of(mutant.file)) for mutant in todo))
        _import_what_tests_import(copy, ["--collect-only", *dict.fromkeys(itertools.chain(*groups))])
        usual = {tests: _usual_seconds(copy, tests) for tests in groups}
        most = sum(usual[tuple(tests_of(mutant.file))] for mutant in todo)
        print(f"{len(todo)} mutants to try, {most / 60:.0f} minutes at most", flush=True)
        for number, mutant in enumerate(todo, start=1):
            tests = tuple(tests_of(mutant.file))
            start = time.perf_counter()
            noticed = _try(copy, mutant, tests, max(_LEAST_SECONDS, _TIMES * usual[tests]))
            results[mutant.key] = {"noticed": noticed, "kind": mutant.kind, "line": mutant.line}
            file.write_text(json.dumps(results, indent=1, ensure_ascii=False))
            word = "noticed" if noticed else "SURVIVES"
            taken = time.perf_counter() - start
            change = f"{mutant.file}:{mutant.line}: {mutant.old} -> {mutant.new}"
            print(f"{number}/{len(todo)} {word} {taken:.1f} s {change}: {mutant.text}", flush=True)


def _use(copy: Path) -> None:
    """Import from the copy alone, here and in what the tests start."""
    os.chdir(copy)
    sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() not in (ROOT, copy))]
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"]
    os.environ["PYTHONPATH"] = str(copy)
    os.environ["OMP_NUM_THREADS"] = "1"
    # pytest warns of plugins that were imported before it, and no test needs one
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


def _usual_seconds(copy: Path, tests: Sequence[str]) -> float:
    """Run tests on the code as it is; return how long they take."""
    start = time.perf_counter()
    _import_what_tests_import(copy, tests)
    return time.perf_counter() - start


def _import_what_tests_import(copy: Path, arguments: Sequence[str]) -> None:
    """Run pytest in a fork, and import here what it imported of other packages: later forks have it."""
    listed = copy / "mutant" / "modules.json"
    if _in_child(lambda: _run(arguments, listed, write_bytecode=True), 3600) != 0:
        output = (copy / "mutant" / "output.txt").read_text()[-3000:]
        raise SystemExit(f"the tests fail before anything is changed: {' '.join(arguments)}\n{output}")
    if Path(json.loads(listed.read_text())["curation"]).is_relative_to(ROOT):
        raise SystemExit("the tests import the checkout instead of the copy")
    for module in json.loads(listed.read_text())["modules"]:
        with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
            importlib.import_module(module)


def _run(tests: Sequence[str], listed: Path | None = None, *, write_bytecode: bool = False) -> int:
    import pytest

    sys.dont_write_bytecode = not write_bytecode
    status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    if listed is not None:
        ours = {"curation", "training", "tests", "benchmarks", "conftest", "cli", "__main__"}
        ours |= {"pytest", "_pytest", "pluggy"}
        others = [name for name in sys.modules if name.partition(".")[0] not in ours]
        import curation

        listed.write_text(json.dumps({"modules": others, "curation": curation.__file__}))
    return status


def _in_child(work: Any, seconds: float) -> int:
    """Return the exit status of some work in a fork of this process; 124 if it takes too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        with (Path("mutant") / "output.txt").open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        status = 3
        try:
            status = work()
        finally:
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    # the child and what its tests have started
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def _try(copy: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> bool:
    """Return whether the tests notice a change."""
    file = copy / mutant.file
    source = file.read_bytes()
    try:
        file.write_bytes(source[: mutant.start] + mutant.new.encode() + source[mutant.end :])
        # Python takes bytecode for current by whole seconds and size, which may be equal
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()
        return _in_child(lambda: _run(tests), seconds) != 0
    finally:
        file.write_bytes(source)


def _print(mutants: Sequence[Mutant], results: dict[str, Any]) -> None:
    tried = [mutant for mutant in mutants if mutant.key in results]
    noticed = [mutant for mutant in tried if results[mutant.key]["noticed"]]
    print("\nsurvivors:")
    for mutant in tried:
        if not results[mutant.key]["noticed"]:
            why = f" ({mutant.equivalent})" if mutant.equivalent else ""
            print(f"  {mutant.file}:{mutant.line}: {mutant.old} -> {mutant.new}: {mutant.text}{why}")
    for kind in ("documented", "number", "comparison", "rule"):
        of_kind = [mutant for mutant in tried if mutant.kind == kind]
        there = sum(results[mutant.key]["noticed"] for mutant in of_kind)
        if of_kind:
            print(f"{kind}: {there} of {len(of_kind)} noticed, {there / len(of_kind):.1%}")
    if tried:
        print(f"all: {len(noticed)} of {len(tried)} noticed, {len(noticed) / len(tried):.1%}")
        equivalent = sum(bool(mutant.equivalent) for mutant in tried if not results[mutant.key]["noticed"])
        print(f"{equivalent} of the survivors change no result that a test could hold")


if __name__ == "__main__":
    main()
