"""Machines with a network, memory and processes of their own on this one: namespaces of Linux."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Machine", "Network", "network", "why_not"]

#: All that runs in a machine ends with it, and a machine with the process that made it.
_UNSHARE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--net")
_OWN = ("--mount", "--uts", "--ipc")
#: Memory that processes share is the machine's own; other folders are those of this one, as if all shared a disk.
_LIVE = """
mkdir -p /tmp/ray
mount -t tmpfs tmpfs /tmp/ray
mount -t tmpfs tmpfs /dev/shm
hostname "$0"
ip link set lo up
echo up
exec sleep infinity
"""
_SWITCH = """
ip link add switch type bridge
ip link set switch up
echo up
exec sleep infinity
"""


def why_not() -> str:
    """Return why there can be no such machines here; an empty text if there can."""
    try:
        with network() as net:
            net.machine("tried").run("true")
    except (OSError, subprocess.CalledProcessError) as error:
        return str(getattr(error, "stderr", None) or error).strip()
    return ""


class _Namespaces:
    """A process that keeps namespaces alive."""

    def __init__(self, own: tuple[str, ...], script: str, name: str) -> None:
        self._process = subprocess.Popen(
            [*_UNSHARE, *own, "sh", "-ec", script, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "up\n":
            _, why = self._process.communicate()
            raise OSError(why)
        pid = self._process.pid
        (self.first,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Machine:
    """One of them.

    Attributes
    ----------
    address : str
        Its address in the network.
    """

    def __init__(self, name: str, address: str, net: Network) -> None:
        self.address, self._net, self._link = address, net, f"to-{name}"
        self._own = _Namespaces(_OWN, _LIVE, name)
        self._inside = ("nsenter", "-t", self._own.first, "-n", "-m", "-u", "-i", "-p", "--")
        net.set_up("add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._own.first)
        net.set_up("set", self._link, "master", "switch", "up")
        self.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def run(self, *command: str, **environment: str) -> None:
        """Run a command there."""
        _run(*self._inside, *command, **environment)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command there."""
        return subprocess.Popen(
            [*self._inside, *command],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def cut_off(self) -> None:
        """Let nothing more come from it or to it; what runs there goes on."""
        self._net.set_up("set", self._link, "down")

    def end(self) -> None:
        """End all that runs there."""
        self._own.end()


class Network:
    """What connects machines; it leads nowhere else."""

    def __init__(self) -> None:
        self._machines: list[Machine] = []
        self._own = _Namespaces((), _SWITCH, "switch")

    def machine(self, name: str) -> Machine:
        """Add a machine, which is called so."""
        self._machines.append(Machine(name, f"10.213.5.{len(self._machines) + 1}", self))
        return self._machines[-1]

    def set_up(self, *words: str) -> None:
        """Change a connection, in the words of ``ip link``."""
        _run("nsenter", "-t", self._own.first, "-n", "--", "ip", "link", *words)

    def end(self) -> None:
        """End all machines."""
        for machine in self._machines:
            machine.end()
        self._own.end()


@contextmanager
def network() -> Iterator[Network]:
    """Have a network while the block runs."""
    net = Network()
    try:
        yield net
    finally:
        net.end()


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, text=True)
