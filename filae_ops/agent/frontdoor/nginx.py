"""The agent's part of nginx: two includes, written and taken back as a pair, and the drain of old workers."""

from __future__ import annotations

import time
from pathlib import Path

from filae_ops.agent.system import durable
from filae_ops.agent.system.layout import COLOURS
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

PAIR = ("upstream.conf", "live.conf")

# The role proxy answers every 503 of nginx's own with the maintenance page.
MAINTENANCE = "# written by filaectl: an update failed and could not be undone\nlocation / { return 503; }\n"


def upstream(colour: str) -> str:
    """Return the include of the http context: the colour that answers."""
    if colour not in COLOURS:
        raise Failed(f"nginx cannot be given the colour {colour!r:.100}: it is not one of {', '.join(COLOURS)}")
    return f"# written by filaectl\nupstream filae_live {{\n    server unix:/run/filae/web-{colour}.sock;\n}}\n"


def saved(machine: Machine, tx: str) -> Path:
    """Return where the pair that a transaction replaces is kept."""
    return machine.layout.requests / f"{tx}.nginx"


def save(machine: Machine, tx: str) -> None:
    """Keep the present pair, once per transaction."""
    place = saved(machine, tx)
    if place.is_dir():
        return
    partial = place.with_suffix(".partial")
    durable.remove(partial)
    durable.directory(partial, 0o700)
    for name in PAIR:
        source = machine.layout.nginx / name
        if source.is_file():
            durable.write(partial / name, source.read_bytes())
    partial.rename(place)
    durable.sync_directory(place.parent)


def put(machine: Machine, texts: dict[str, str | bytes]) -> None:
    """Place a pair, have nginx check it, and load it; a pair that nginx refuses does not stay."""
    before = {name: _bytes(machine.layout.nginx / name) for name in PAIR}
    _write(machine, texts)
    try:
        machine.runner.must(["nginx", "-t", "-q"])
    except Failed:
        _write(machine, {name: text for name, text in before.items() if text is not None})
        raise
    reload(machine)


def reload(machine: Machine) -> None:
    """Have nginx load its configuration, and wait until its old workers know that they are."""
    old = workers(machine)
    if machine.runner.run(["systemctl", "is-active", "--quiet", "nginx.service"]).status != 0:
        machine.runner.must(["systemctl", "start", "nginx.service"])
        return
    machine.runner.must(["systemctl", "reload", "nginx.service"])
    limit = time.monotonic() + 15
    while any(workers(machine).get(pid) == "working" for pid in old):
        if time.monotonic() > limit:
            raise Failed("nginx was told to reload and its old workers still take requests after 15 s")
        time.sleep(0.02)


def restore(machine: Machine, tx: str) -> bool:
    """Put back the pair that a transaction replaced; False when it had replaced none."""
    place = saved(machine, tx)
    if not place.is_dir():
        return False
    texts = {name: data for name in PAIR if (data := _bytes(place / name)) is not None}
    if any(_bytes(machine.layout.nginx / name) != data for name, data in texts.items()):
        put(machine, dict(texts))
    else:
        reload(machine)
    return True


def drain(machine: Machine, seconds: float) -> bool:
    """Wait until no old worker of nginx finishes a request; False when some still do after `seconds`."""
    limit = time.monotonic() + seconds
    while "leaving" in workers(machine).values():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def workers(machine: Machine) -> dict[int, str]:
    """Return nginx's workers by process number: working or leaving.

    A process of anybody may bear a worker's title; of which unit it is, the kernel says.
    """
    found = {}
    proc = machine.layout.root / "proc"
    for entry in proc.iterdir() if proc.is_dir() else ():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes()
                group = (entry / "cgroup").read_text()
            except OSError:
                continue
            if group.endswith("/nginx.service\n") and title.startswith(b"nginx: worker process"):
                found[int(entry.name)] = "leaving" if b"is shutting down" in title else "working"
    return found


def _write(machine: Machine, texts: dict[str, str | bytes]) -> None:
    for name, text in texts.items():
        durable.write(machine.layout.nginx / name, text)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
