"""OpenSSH public keys, as an inventory declares them: kept as `type base64`, their comment left out."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from filae_ops.inventory.types.fields import refuse
from filae_ops.writers.public_keys import parse_public_key

_ASK = "ask its holder for a new public key: ssh-keygen -t ed25519, then send the .pub file"


def _public_key(value: str) -> str:
    try:
        return parse_public_key(value).text
    except ValueError as exc:
        refuse(f"key {_short(value)}: {exc}", next_step=_ASK)


def _host_key(value: str) -> str:
    try:
        key = parse_public_key(value)
        if key.kind.startswith("sk-"):
            raise ValueError("a key of a hardware token: a machine has none")
    except ValueError as exc:
        refuse(
            f"key {_short(value)}: {exc}",
            next_step="at the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
            owner="dsi",
        )
    return key.text


def _short(value: str) -> str:
    if "PRIVATE" in value:
        return "(not shown)"
    return repr(value if len(value) < 60 else f"{value[:40]}…{value[-16:]}")


SshKey = Annotated[str, AfterValidator(_public_key)]
HostKey = Annotated[str, AfterValidator(_host_key)]
