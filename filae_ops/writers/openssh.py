"""Lines of ssh_config, known_hosts, authorized_keys and allowed_signers (ssh_config(5), sshd(8), ssh-keygen(1))."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from filae_ops.agent.bundle.signature import NAMESPACE
from filae_ops.writers import parsing
from filae_ops.writers.public_keys import parse_public_key

MANAGED = "Managed by filae-ops: a change made here is undone at the next provisioning."
_VALUES: Mapping[str, Callable[[object], object]] = {
    "Host": parsing.slug,
    "HostName": parsing.host,
    "HostKeyAlias": parsing.slug,
    "IdentityFile": parsing.file_path,
    "Port": parsing.port,
    "User": parsing.account,
}
# They may come from the command line, or from who runs it.
_STEPS = {
    "IdentityFile": "give --key FILE under a plain path, or correct ansible_ssh_private_key_file in hosts.yml",
    "User": "give --user NAME, or correct ansible_user in hosts.yml",
}
# Of OpenSSH's own dates, whose last year has no day after it.
_LATEST = dt.date(9998, 12, 30)


def option(keyword: str, value: object) -> str:
    """Return a line of ssh_config for a value from outside; one in quotes where it may hold spaces."""
    step = _STEPS.get(keyword, "correct it in hosts.yml, then run the same command again")
    parsed = parsing.carried(f"ssh's {keyword}", _VALUES[keyword], value, next_step=step)
    return f'{keyword} "{parsed}"' if keyword == "IdentityFile" else f"{keyword} {parsed}"


def known_host(name: object, key: object) -> str:
    """Return the line of known_hosts that pins a machine's key, without the key's comment."""
    return f"{parsing.carried('known_hosts', parsing.slug, name)} {public_key('known_hosts', key)}"


def ssh_host(value: object) -> str:
    """Return the address or name of a machine, as a word of ssh's command line."""
    return parsing.carried("ssh", parsing.host, value)


def ssh_pinned_options(name: object, key: object) -> list[str]:
    """Return the options of `ssh -o` under which a machine with any other key is refused."""
    return [
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        f"HostKeyAlias={parsing.carried('ssh', parsing.slug, name)}",
        f"KnownHostsCommand=/bin/echo {known_host(name, key)}",
    ]


def authorized_keys(keys: Iterable[Mapping[str, Any]]) -> str:
    """Return the keys of an account, each `{key, until}`: sshd refuses it after its last day."""
    where = "authorized_keys"
    lines = [
        f'expiry-time="{_last(where, each["until"]):%Y%m%d}235959" {public_key(where, each["key"])}' for each in keys
    ]
    return "".join(f"{line}\n" for line in lines)


def authorized_key_files(people: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return a file of keys for each account, as place_files takes them."""
    return [
        {
            "path": f"/etc/ssh/authorized_keys.d/{parsing.carried('authorized_keys', parsing.person, person['name'])}",
            "content": f"# {MANAGED}\n{authorized_keys(person.get('keys') or [])}",
        }
        for person in people
    ]


def allowed_signers(signers: Iterable[Mapping[str, Any]]) -> str:
    """Return the keys that sign releases, each `{name, key, until}`: for bundles alone, to the end of its last day."""
    return "".join(f"{_signer(**signer)}\n" for signer in signers)


def _signer(name: object, key: object, until: object) -> str:
    where = "allowed_signers"
    end = _last(where, until) + dt.timedelta(days=1)
    options = f'namespaces="{NAMESPACE}",valid-before="{end:%Y%m%d}Z"'
    return f"{parsing.carried(where, parsing.slug, name)} {options} {public_key(where, key)}"


def _last(where: str, until: object) -> dt.date:
    return min(parsing.carried(where, parsing.day, until), _LATEST)


def public_key(where: str, key: object) -> str:
    """Return a public key as `type base64`, for a place that will hold it."""

    def parse(line: object) -> str:
        if not isinstance(line, str):
            raise ValueError("not text")
        return parse_public_key(line).text

    return parsing.carried(where, parse, key)
