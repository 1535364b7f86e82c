"""A cloud-init user-data that gives the first access: keys, no password, the site's time, servers and mirrors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.draft import Draft, at
from filae_ops.report.request.machine_part import FIRST_PACKAGES, guest_package
from filae_ops.writers import configuration, parsing
from filae_ops.writers.openssh import public_key
from filae_ops.writers.parsing import carried

_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
_SHOW = (
    f"{{ echo; echo 'filae-ops, hosts.yml, host_key:'; cut -d' ' -f1,2 {_HOST_KEY}; ssh-keygen -lf {_HOST_KEY}; }}"
    " > /dev/console"
)
_SOURCES = """\
Types: deb
URIs: {url}
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: {security_url}
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def user_data(draft: Draft, machine: str, account: str, day: dt.date) -> str:
    """Return the user-data of a machine: `account` takes the keys of the operators that are valid on `day`.

    What the inventory does not say yet is left to the image. OpsError: no key that works.
    """
    import yaml

    keys = list(_keys(draft, day))
    if not keys:
        raise OpsError(
            f"no operator of access.operators has a key that works on {day}: nobody could enter the machine",
            next_step="add an operator's key to group_vars/all/access.yml, or ask without --cloud-init",
        )
    text = yaml.safe_dump(_config(draft, machine, account, keys), sort_keys=False, allow_unicode=True, width=4096)
    name = carried("a comment of cloud-init", parsing.slug, machine)
    title = f"First access to {name}, made by filae-ops request-vm from the inventory. No secret here."
    return f"#cloud-config\n# {title}\n{text}"


def _keys(draft: Draft, day: dt.date) -> Iterator[str]:
    """Return the keys of the operators who are present, known to end later; what is still to fill in opens nothing."""
    for person in draft.get("access.operators", []):
        if not isinstance(person, Mapping) or person.get("state", "present") != "present":
            continue
        for entry in at(person, "keys", []):
            key, until = at(entry, "key"), at(entry, "until")
            if key and isinstance(until, dt.date) and until >= day:
                yield public_key("cloud-init", key)


def _config(draft: Draft, machine: str, account: str, keys: list[str]) -> dict[str, Any]:
    declared = draft.get("hosts", {})[machine]
    tools = guest_package(at(declared, "machine", {}))
    settings = {
        "hostname": carried("a host's name", parsing.slug, machine),
        "manage_etc_hosts": "localhost",
        "timezone": _timezone(draft.get("site.timezone")),
        "users": [
            {
                "name": account, "gecos": "First access", "shell": "/bin/bash", "lock_passwd": True,
                "sudo": "ALL=(ALL) NOPASSWD:ALL", "ssh_authorized_keys": keys,
            }
        ],
        "disable_root": True,
        "ssh_pwauth": False,
        # A machine cloned from a template must not keep the template's key.
        "ssh_deletekeys": True,
        "ssh_genkeytypes": ["ed25519"],
        "ssh": {"emit_keys_to_console": True},
        "apt": _apt(draft),
        "ntp": _time(draft),
        "package_update": True,
        "package_upgrade": True,
        "packages": sorted({*FIRST_PACKAGES, "locales", *([tools] if tools else [])}),
        "runcmd": [*_language(draft.get("site.locale")), ["sh", "-c", _SHOW]],
    }  # fmt: skip
    return {key: value for key, value in settings.items() if value not in (None, {})}


def _timezone(declared: str | None) -> str | None:
    return configuration.timezone(declared) if declared else None


def _language(locale: str | None) -> Iterator[list[str]]:
    """Give the commands that set the locale: cloud-init's own comes before packages, and fails without `locales`."""
    if locale:
        locale = configuration.locale(locale)
        line = f"{locale} UTF-8"
        yield ["sh", "-c", 'grep -qxF "$1" /etc/locale.gen || echo "$1" >> /etc/locale.gen', "sh", line]
        yield ["locale-gen"]
        yield ["update-locale", f"LANG={locale}"]


def _apt(draft: Draft) -> Mapping[str, Any]:
    proxy = draft.get("network.proxy") if draft.get("network.outbound_internet") == "proxy" else None
    proxy = configuration.apt_url(proxy) if proxy else None
    found: dict[str, Any] = {"http_proxy": proxy, "https_proxy": proxy} if proxy else {}
    urls = {name: draft.get(f"patching.mirror.{name}") for name in ("url", "security_url")}
    if all(urls.values()):
        found["sources_list"] = _SOURCES.format(**{name: configuration.apt_url(url) for name, url in urls.items()})
    return found


def _time(draft: Draft) -> Mapping[str, Any]:
    servers = [configuration.chrony_source(each) for each in draft.get("network.time_sources", []) if each]
    return {"enabled": True, "ntp_client": "chrony", "servers": servers} if servers else {}
