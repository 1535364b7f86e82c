"""Look at a machine from another place: from here, or from the machine of another inventory."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filae_ops.errors import OpsError
from filae_ops.facts import outside
from filae_ops.inventory.model.inventory import SSH_PORT, Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.reading.load import load
from filae_ops.remote.ssh import Login, ssh_config
from filae_ops.verification import gather

PORTS = (
    21,
    22,
    23,
    25,
    53,
    80,
    111,
    139,
    443,
    445,
    2375,
    3000,
    3306,
    5432,
    5433,
    6379,
    8000,
    8080,
    8443,
    9090,
    9292,
    11211,
)


class Elsewhere:
    """Tries the ports while the machine gathers, and the front door once its authority is known."""

    def __init__(self, inventory: Inventory, host: Host, seen_from: Path | None, login: Login) -> None:
        self.inventory, self.host, self.seen_from, self.login = inventory, host, seen_from, login
        declared = {port for flow in inventory.inbound() if flow.proto == "tcp" for port in flow.port}
        self.ports = sorted({*PORTS, *declared})
        self.pool = ThreadPoolExecutor(max_workers=1)
        self.early: Future[dict[str, str]] | None = None
        self.address = ""

    def __enter__(self) -> Self:
        """Start to try the ports, where that is done from here."""
        with contextlib.suppress(OSError):
            self.address = outside.own_address(self.host.ansible_host)
        if self.seen_from is None:
            self.early = self.pool.submit(outside.states, self.host.ansible_host, self.ports)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing running."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def finish(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what elsewhere sees: ports that listen inside are tried too, whatever they are."""
        inside = facts.get("sockets", {}).get("value", [])
        extra = sorted({each["port"] for each in inside if each["proto"] == "tcp"} - set(self.ports))
        name = self.inventory.network.public_name
        authority = gather.authority(self.inventory) or facts.get("certificate", {}).get("value", {}).get(
            "authority", ""
        )
        try:
            if self.early is None:
                return self._from_another([*self.ports, *extra], name, authority)
            states = self.early.result() | outside.states(self.host.ansible_host, extra)
            if self.host.ansible_port != SSH_PORT:  # forwarded: the session that asked for the facts came in by it
                states[str(SSH_PORT)] = "open"
            return {
                "from": self.address,
                "ports": states,
                "web": outside.front(self.host.ansible_host, states, name, authority),
            }
        except OSError as error:
            return {"error": f"could not look from elsewhere: {error}", "web": {"error": "not seen from elsewhere"}}

    def _from_another(self, ports: list[int], name: str, authority: str) -> dict[str, Any]:
        assert self.seen_from is not None
        other = load(self.seen_from)
        first = next(iter(other.hosts))
        address = str(socket.getaddrinfo(self.host.ansible_host, 443)[0][4][0])
        expected = {"parts": ["outside"], "address": address, "ports": ports, "public_name": name, "root": authority}
        with ssh_config(other, self.login) as config:
            found = gather.facts(config, first, expected | {"seconds": 60})["facts"]["outside"]
        if "error" in found:
            raise OpsError(
                f"{first} cannot look at {self.host.name}: {found['error']}", next_step="run again, or without --from"
            )
        value: dict[str, Any] = found["value"]
        return value
