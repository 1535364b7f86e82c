"""Ways between networks on this host that are no packet of the host's: it may send some ports elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from filae_ops.lab.machine import Machine
from filae_ops.lab.supervise import leaders

# A socket stays in the network where it was made: one listens in the first, those that it leads to are the second's.
RELAY = """
import ctypes, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def enter(pid):
    with open(f"/proc/{pid}/ns/net") as network:
        if libc.setns(network.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"the network of {pid} cannot be entered")
def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close(), target.close()
near, near_port, far, far_port = map(int, sys.argv[1:])
enter(near)
listening = socket.create_server(("127.0.0.1", near_port))
print(listening.getsockname()[1], flush=True)
enter(far)
while True:
    asking, _ = listening.accept()
    try:
        answering = socket.create_connection(("127.0.0.1", far_port))
    except OSError:
        asking.close()
        continue
    for pair in ((asking, answering), (answering, asking)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""
# Whatever ends the tests ends what they started.
BOUND = ("setpriv", "--pdeathsig", "KILL")


@contextmanager
def relay(near: int, near_port: int, far: int, far_port: int) -> Iterator[int]:
    """Have a port of 127.0.0.1 in one process's network lead to one in another's; return it (0 takes a free one)."""
    words = map(str, (near, near_port, far, far_port))
    relaying = subprocess.Popen(
        [*BOUND, sys.executable, "-c", RELAY, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        assert relaying.stdout is not None
        listening = relaying.stdout.readline()
        assert listening, f"no way from the network of {near} to that of {far}"
        yield int(listening)
    finally:
        relaying.kill()
        relaying.wait()


@contextmanager
def front_door(machine: Machine, near: int, port: int = 443) -> Iterator[int]:
    """Have a port of 127.0.0.1 in a process's network lead to a machine's port 443, while the context lasts."""
    with relay(near, port, leaders(machine.directory)[0], 443) as listening:
        yield listening
