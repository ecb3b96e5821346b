"""A port for a server that has to be told which, or that is started twice on the same one."""

from __future__ import annotations

import random
import socket

# below those that the system gives away by itself: to whoever asks for any port, and to each connection
_FIRST, _LAST = 12_000, 32_000
_draw = random.SystemRandom()


def own_port() -> int:
    """Return a port on which nobody listens."""
    while True:
        port = _draw.randrange(_FIRST, _LAST)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
