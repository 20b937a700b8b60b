"""No network but loopback, in this process and, by way of PYTHONPATH, in every Python that it starts."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

ATTEMPTS: list[str] = []
"""Where this process wanted to connect to, other than itself."""

_NAMED = {"socket.getaddrinfo", "socket.gethostbyname"}
_ADDRESSED = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def outside(host: Any) -> bool:
    """Whether a host is another machine."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not host or host in {"localhost", socket.gethostname()}:
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _NAMED:
        host = arguments[0]
    elif event in _ADDRESSED and isinstance(arguments[1], tuple):
        # connecting a datagram socket sends nothing; libraries do it to learn which address is theirs
        if event == "socket.connect" and arguments[0].type == socket.SOCK_DGRAM:
            return
        host = arguments[1][0]
    else:
        return
    if outside(host):
        ATTEMPTS.append(f"{event} {host}")
        msg = f"{event} to {host}: tests have no network but loopback"
        raise ConnectionRefusedError(msg)


sys.addaudithook(_watch)
