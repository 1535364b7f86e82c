"""Values in the files of apt, chrony, nginx, nftables and the system; each writer refuses what its file cannot hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from filae_ops.agent.system.plain_text import plain
from filae_ops.errors import OpsError
from filae_ops.writers import parsing

_SECRETS = ("app_secrets", "tls_key")
_SECRET_MAX = 64 * 1024


def apt_url(value: object) -> str:
    """Return an address for apt's settings and sources (apt.conf(5), sources.list(5))."""
    return parsing.carried("apt", parsing.url, value)


def apt_time(value: object) -> str:
    """Return a time of day for apt's settings."""
    return parsing.carried("apt", parsing.clock, value)


def chrony_source(value: object) -> str:
    """Return a time server for chrony.conf(5)."""
    return parsing.carried("chrony", parsing.host, value)


def nginx_name(value: object) -> str:
    """Return a server name for nginx: a name or an address, never an expression."""
    return parsing.carried("nginx", parsing.host, value)


def nginx_clients(secret: object) -> str:
    """Return nginx's include that numbers the networks of clients, by a hash that stands on a secret at both ends."""
    text = parsing.carried("nginx", parsing.client_secret, secret)
    half = len(text) // 2
    numbers = "".join(f"    0.1% {number};\n" for number in range(999))
    return (
        "# Made once by filae-ops. Whoever has this file can number an address; a thousand numbers are shared by all.\n"
        f'split_clients "{text[:half]}${{filae_network}}{text[half:]}" $filae_client {{\n{numbers}    * 999;\n}}\n'
    )


def certificate_name(value: object) -> str:
    """Return a name that a certificate is made for."""
    return parsing.carried("a certificate", parsing.host, value)


def timezone(value: object) -> str:
    """Return a time zone, for /etc/timezone and the link below /usr/share/zoneinfo."""
    return parsing.carried("/etc/timezone", parsing.timezone, value)


def locale(value: object) -> str:
    """Return a locale, for /etc/locale.gen and /etc/locale.conf."""
    return parsing.carried("/etc/locale.gen", parsing.locale, value)


def journal_size(value: object) -> str:
    """Return an amount of disk for journald.conf(5)."""
    return parsing.carried("journald.conf", parsing.size, value)


def whole_number(value: object) -> int:
    """Return a whole number for any of these files."""
    return parsing.carried("a configuration file", parsing.whole, value)


def account(value: object) -> str:
    """Return the name of an account of the machine."""
    step = "give --user NAME (plain ansible-playbook: -e operator=NAME), one of access.operators"
    return parsing.carried("a command line", parsing.account, value, next_step=step)


def nft_ports(flow: Mapping[str, Any]) -> str:
    """Return the ports of a flow as a set of nft(8)."""
    ports = flow.get("port", [])
    numbers = [parsing.carried("nftables", parsing.port, port) for port in _listed(ports)]
    return f"{{ {', '.join(map(str, numbers))} }}"


def nft_rules(flow: Mapping[str, Any], administration: Iterable[object]) -> list[str]:
    """Return the rules of nft(8) that let a flow pass; `administration`: the networks of that zone."""
    protocol = flow["proto"]
    if protocol not in ("tcp", "udp", "icmp"):
        raise OpsError(
            f"nftables cannot hold {plain(repr(protocol))[:120]}: not one of tcp, udp and icmp",
            next_step="correct it in the inventory, then run the same command again",
        )
    return list(_nft_rules(flow, protocol, administration))


def _nft_rules(flow: Mapping[str, Any], protocol: str, administration: Iterable[object]) -> Iterator[str]:
    peer, side = (flow["from"], "saddr") if flow["direction"] == "in" else (flow["to"], "daddr")
    end = f'counter accept comment "{parsing.carried("nftables", parsing.slug, flow["id"])}"'
    what = {"4": "icmp type echo-request", "6": "icmpv6 type echo-request"}
    if protocol != "icmp":
        what = dict.fromkeys(what, f"{protocol} dport {nft_ports(flow)}")
    if peer in ("internet", ["internet"]):
        yield from (f"{match} {end}" for match in dict.fromkeys(what.values()))
        return
    peers = administration if peer in ("administration", ["administration"]) else _listed(peer)
    networks = [parsing.carried("nftables", parsing.network, network) for network in peers]
    for family, keyword in (("4", "ip"), ("6", "ip6")):
        if members := [network for network in networks if (":" in network) == (family == "6")]:
            yield f"{keyword} {side} {{ {', '.join(members)} }} {what[family]} {end}"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def supplied_secrets(text: str) -> dict[str, Any]:
    """Return what the decrypted secrets.yml holds: `tls_key` and `app_secrets`, whole texts, and nothing else.

    What is refused is named, never shown.
    """
    import yaml

    try:
        declared = yaml.safe_load(str(text)) or {}
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _bad_secrets(f"line {mark.line + 1 if mark else 1} is not YAML", "correct that line") from None
    if not isinstance(declared, Mapping):
        raise _bad_secrets("not a mapping of names", "write tls_key: and app_secrets:")
    if unknown := sorted(map(str, set(declared) - set(_SECRETS))):
        what = f"{plain(unknown[0])[:60]!r} is not one of {' and '.join(_SECRETS)}"
        raise _bad_secrets(what, "keep these names alone: other values go to hosts.yml or group_vars/all/*.yml")
    application = declared.get("app_secrets") or {}
    if not isinstance(application, Mapping):
        raise _bad_secrets("app_secrets is not a mapping of names", "write one `name: value` a line under it")
    texts = {name: _secret(f"app_secrets: {name}", text) for name, text in application.items()}
    secrets = {parsing.carried("secrets.yml", parsing.secret_name, name): text for name, text in texts.items()}
    return {"tls_key": _secret("tls_key", declared.get("tls_key") or ""), "app_secrets": secrets}


def _secret(name: str, text: object) -> str:
    if not isinstance(text, str) or "\0" in text or len(text) > _SECRET_MAX:
        what = f"{plain(name)[:80]} is not a text of at most {_SECRET_MAX} characters"
        raise _bad_secrets(what, "write it as a text, in quotes")
    return str(text)


def _bad_secrets(what: str, step: str) -> OpsError:
    return OpsError(f"secrets.yml: {what}", next_step=f"ansible-vault edit secrets.yml: {step}")


def secret_files(secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the files of the application's secrets, as place_files takes them."""
    names = {name: parsing.carried("a file's name", parsing.secret_name, name) for name in secrets}
    return [
        {"path": f"/etc/filae/secrets/{names[name]}", "content": f"{text}\n", "mode": "0600", "secret": True}
        for name, text in secrets.items()
    ]
