"""Ask a machine for its facts: one script, one SSH connection, root through sudo, nothing changed."""

from __future__ import annotations

import graphlib
import json
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from filae_ops.agent.database import declared_roles
from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.paths import PACKAGE, data_path
from filae_ops.remote.ssh import explain, ssh_argv
from filae_ops.writers.filters import FILTERS

SECONDS = 150
_IMPORTS = re.compile(r"^from filae_ops\.facts(?: import (?:\(([^)]*)\)|(.*))|\.(\w+) import )", re.M)
_BOOT = """import json, sys, types
for _name in ("filae_ops", "filae_ops.facts"):
    sys.modules[_name] = types.ModuleType(_name)
    sys.modules[_name].__path__ = []
for _name, _text in json.loads({sources!r}):
    _module = sys.modules["filae_ops.facts." + _name] = types.ModuleType("filae_ops.facts." + _name)
    setattr(sys.modules["filae_ops.facts"], _name, _module)
    exec(compile(_text, _name + ".py", "exec"), _module.__dict__)
sys.modules["filae_ops.facts.main"].run(json.loads({expected!r}))
"""


def script(expected: Mapping[str, Any]) -> str:
    """Return the whole program that a machine's python3 reads on its standard input."""
    texts = {path.stem: path.read_text() for path in (PACKAGE / "facts").glob("*.py") if path.stem != "__init__"}
    sources = [(name, texts[name]) for name in _in_order(texts)]
    return _BOOT.format(sources=json.dumps(sources), expected=json.dumps(dict(expected)))


def _in_order(texts: Mapping[str, str]) -> list[str]:
    """Return the modules so that each comes after those that it imports."""
    needs = {
        name: {part for row in _IMPORTS.findall(text) for part in re.findall(r"\w+", " ".join(row)) if part in texts}
        for name, text in texts.items()
    }
    return [*graphlib.TopologicalSorter({name: sorted(needs[name]) for name in sorted(needs)}).static_order()]


def expected_of(inventory: Inventory, host: Host, client: str = "") -> dict[str, Any]:
    """Return what the gathering must know of the inventory."""
    return {
        "public_name": inventory.network.public_name,
        "root": authority(inventory),
        "client": client,
        "outbound": [*_single_ends(inventory)],
        "preflight": preflight_script(inventory, host),
        "firewall": firewall_rules(inventory),
        "database": {
            "name": declared_roles.DATABASE,
            "look": declared_roles.LOOK,
            "excess": declared_roles.EXCESS,
            "no_connection_left": declared_roles.NO_CONNECTION_LEFT,
        },
        "declared_paths": [each.path for each in host.machine.additions if each.path],
        "seconds": SECONDS,
    }


def authority(inventory: Inventory) -> str:
    """Return the root that the hospital's posts trust; empty with the machine's own authority."""
    return (inventory.directory / inventory.tls.root).read_text() if inventory.tls.root else ""


def _single_ends(inventory: Inventory) -> Sequence[dict[str, Any]]:
    found = []
    for flow in inventory.outbound():
        networks = flow.networks(inventory.access.administration_networks) or ()
        ends = [network for network in networks if network.num_addresses == 1]
        if flow.proto == "tcp" and len(ends) == len(networks) == 1 and len(flow.port) == 1:
            found.append({"id": flow.id, "host": str(ends[0].network_address), "port": flow.port[0]})
    return found


def preflight_script(inventory: Inventory, host: Host) -> str:
    """Return the preflight as the role runs it."""
    network, mirror = inventory.network, inventory.patching.mirror
    relay = network.mail_relay
    expected = {
        "machine": host.machine.model_dump(mode="json"),
        "public_name": network.public_name,
        "dns_servers": network.dns_servers,
        "time_sources": network.time_sources,
        "proxy": network.proxy or "",
        "mirror": mirror.model_dump() if mirror else {},
        "tcp_out": [{"id": "mail-relay", "host": relay.host, "port": relay.port}] if relay else [],
        "now": time.time(),
    }
    text = data_path("roles", "preflight", "files", "preflight.py").read_text()
    return f"EXPECTED = {json.dumps(json.dumps(expected))}\n{text}"


def firewall_rules(inventory: Inventory) -> str:
    """Return the rules that the inventory asks for, from the role's own template."""
    folder = data_path("roles", "firewall", "templates")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  # rules, not HTML
    )
    environment.filters |= FILTERS
    return environment.get_template("filae.nft.j2").render(
        firewall_flows=[flow.model_dump(mode="json", by_alias=True) for flow in inventory.flows],
        firewall_administration=inventory.access.administration_networks,
    )


def facts(config: Path, host: str, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Run the gathering on a machine and return its facts, or say why it could not be asked."""
    argv = ssh_argv(config, host, ["sudo", "-n", "/usr/bin/python3", "-"])
    try:
        done = subprocess.run(argv, input=script(expected), capture_output=True, text=True, timeout=SECONDS + 30)
    except subprocess.TimeoutExpired:
        raise OpsError(
            f"{host}: no facts after {SECONDS + 30} s",
            owner="dsi",
            next_step="look at the machine's load and disks, then run again",
        ) from None
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        if done.returncode == 255 or not done.stderr.strip():
            raise explain(done.stderr, host) from None
        raise _broken(done.stderr, host) from None
    return document


def _broken(stderr: str, host: str) -> OpsError:
    for sign in ("python3: command not found", "/usr/bin/python3: No such file"):
        if sign in stderr:
            return OpsError(
                f"{host}: the machine has no python3",
                owner="dsi",
                next_step="as root on the machine: apt-get install python3",
            )
    return explain(stderr, host)
