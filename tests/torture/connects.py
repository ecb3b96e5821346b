"""Whom commands contact, and where they write, as the kernel sees it: every command runs under strace.

Each command is a case. A connection, a name looked up, or a file outside of the run, the cache and the temporary folder
that docs/commands.md does not name is a fault.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

from tests.torture.tally import Tally

__all__ = ["COMMANDS", "COUNT", "QUICK", "Traced", "run", "trace", "unexpected"]

ROOT = Path(__file__).resolve().parents[2]
#: Commands of one after the other, each in a process of its own. Those of a line, between semicolons, share a process.
QUICK = (
    "demo shop --listings 120; find-issues shop --preset quick --no-pretrained --folds 2; apply-fixes "
    "--accept-suggestions; undo; status",
    "review --no-browser --port 0",
)
COMMANDS = (
    "demo shop --listings 120",
    "explore shop",
    "find-issues shop --no-pretrained --folds 3",
    "find-issues shop --no-pretrained --preset thorough --epochs 1 --model squeezenet1_1 --image-size 32 --folds 3",
    "review --html --no-browser",
    "review --no-browser --port 0",
    "apply-fixes --accept-suggestions",
    "retrain --compare --no-pretrained --seeds 1",
    "undo",
    "status",
    "runs",
    "runs diff 1 2",
    "train shop --no-pretrained --epochs 1 --model squeezenet1_1 --image-size 32 --output model",
    "predict model shop --output predicted.csv",
    "export model --output model.onnx",
    "tune shop --no-pretrained --trials 2 --epochs 1 --model squeezenet1_1 --image-size 32",
    "compare-models shop --no-pretrained --models squeezenet1_1 --epochs 1 --image-size 32 --folds 2",
    "verify",
    "cache",
)
COUNT = len(COMMANDS)

_SENDING = ("connect", "sendto", "sendmsg", "sendmmsg")
_MAKING = ("creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat")
_CALLS = ",".join((*_SENDING, *_MAKING, "open", "openat"))
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


def trace(program: str, place: Path) -> Traced:
    """Run Python under strace, with a home of its own below `place` and none of this person's settings.

    A review is opened as a browser would open it, and then stopped with Ctrl-C.
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
    log, output = place / "strace", place / "output"
    command = ["strace", "-f", "-qq", "-y", "-s", "300", "--seccomp-bpf", "-e", f"trace={_CALLS}", "-o", str(log)]
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*command, sys.executable, "-c", program],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        while process.poll() is None:
            time.sleep(0.2)
            if found := re.search(r"Open (http://\S+)", output.read_text(errors="replace")):
                _visit(found[1])
                # strace passes no signals on; its child is the program
                for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                    os.kill(int(child), signal.SIGINT)
                process.wait()
    calls = log.read_text(errors="replace").splitlines()
    return Traced(process.returncode, output.read_text(errors="replace"), tuple(calls), home, folder, temporary)


def _visit(url: str) -> None:
    """Open a page and a few of the things that it asks for."""
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
    )
    base = url.partition("/datasets")[0]
    for address in (url, f"{base}/fiftyone", f"{base}/plugins"):
        with browser.open(address, timeout=60) as answer:
            answer.read()


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


def unexpected(traced: Traced) -> Iterator[str]:
    """Yield what a program contacted, and wrote, that it should not have."""
    seen = set()
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
    if name in ("open", "openat"):
        if _NAMES.search(str(paths[0])):
            return f"looks up the name of a host, as it reads {paths[0]}"
        if "O_CREAT" not in rest:
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
    """Run the first `count` commands, one after the other, as each needs what those before it have made."""
    return tried(COMMANDS[:count])


def tried(lines: tuple[str, ...]) -> Tally:
    """Run lines of commands in a place of their own; return the counts."""
    tally = Tally("connects", skipped=missing())
    if tally.skipped:
        return tally
    with tempfile.TemporaryDirectory(prefix="connects-") as name:
        for line in lines:
            traced = trace(commands(line), Path(name))
            if "No such command" in traced.output:
                tally.notes.append(f"{line}: there is no such command")
                continue
            tally.tried += 1
            if traced.code not in (0, 1):
                tally.fault("unexplained", f"{line}: exit code {traced.code}\n{traced.output[-1000:]}")
            if "Traceback" in traced.output:
                tally.fault("tracebacks", f"{line}\n{traced.output[-2000:]}")
            for why in unexpected(traced):
                tally.fault("unexplained", f"{line}: {why}")
    return tally
