"""What others than this toolkit put on a machine: agents, an antivirus, what the image brought."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, NoReturn, Self

from pydantic import AfterValidator, WithJsonSchema, model_validator

from filae_ops.inventory.model.access import OF_THE_SYSTEM
from filae_ops.inventory.model.closed_folders import is_closed, is_ours, without_links
from filae_ops.inventory.types.fields import Strict, Text, refuse
from filae_ops.vocabulary import Party

KINDS = ("package", "unit", "path", "account", "nft_table")
"""What an entry may name."""
UNIT_FOLDERS = (
    "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
)  # fmt: skip

_PATH = r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._@+:-]{1,255})+"
_UNIT_NAME = r"[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]*)?\.(service|socket|timer|path|mount|automount|swap|target|slice)"
_PACKAGE = r"[a-z0-9][a-z0-9+.-]{1,127}"
_ACCOUNT = r"[A-Za-z_][A-Za-z0-9_.-]{0,31}"
_TABLE = r"(ip|ip6|inet|arp|bridge|netdev) [A-Za-z][A-Za-z0-9_./-]{0,127}"
_OUR_UNITS = re.compile(
    r"filae.*|nginx|postgresql(@.*)?|pg_.*|sshd?([@-].*)?|nftables|chronyd?|cron|dbus.*|polkit|systemd-.*|unattended-upgrades|"
    r"apt-.*|dpkg-.*|(serial-|console-|container-)?getty(@.*)?|user(-runtime-dir)?@.*|(multi-user|basic|sysinit|timers|sockets)|-"
)
_OUR_PACKAGES = re.compile(
    r"filae.*|apt|base-files|chrony|dpkg|libc6|libpam-.*|login|nftables|nginx(-.*)?|openssh-.*|openssl|passwd|postgresql(-.*)?|"
    r"python3.*|ruby.*|sudo|systemd(-.*)?"
)
_BELOW_UNIT_FOLDERS = re.compile(
    rf"({'|'.join(UNIT_FOLDERS)})/((?P<file>{_UNIT_NAME})|(?P<fragments>{_UNIT_NAME})\.d(/.*)?"
    rf"|[^/]+\.(wants|requires|upholds)/(?P<link>{_UNIT_NAME}))"
)
_NEVER_DECLARED = (
    "remove the entry: nobody answers for that but this toolkit, and `filae-ops verify` tells what differs"
)


def _not_of_form(value: str, what: str, example: str) -> NoReturn:
    shown = repr(value) if len(value) <= 80 else f"{value[:77]!r}..."
    refuse(f"{shown} is not {what}", next_step=f"write {example}, as `filae-ops doctor` shows it")


def _path(value: str) -> str:
    if value != "/" and (len(value) > 1024 or not re.fullmatch(_PATH, value, re.ASCII)):
        _not_of_form(
            value,
            "an absolute path in plain letters, digits and . _ @ + : / -, without `..`, `*`, `//` or a final /",
            "one such as /opt/agent",
        )
    if (real := without_links(value)) != value:
        refuse(f"{value!r} goes through a link of Debian's own", next_step=f"write {real}")
    if is_closed(value):
        refuse(
            f"{value!r} is too wide: what lies in it decides for the whole machine",
            next_step="declare the file in it, not the folder; an agent's folder of its own may be whole",
        )
    if is_ours(value):
        refuse(f"{value!r} is this toolkit's own, or decides who enters the machine", next_step=_NEVER_DECLARED)
    return value


def _unit(value: str) -> str:
    if len(value) > 255 or not re.fullmatch(_UNIT_NAME, value, re.ASCII):
        _not_of_form(value, "the name of a systemd unit, with its type and without `*`", "one such as agent.service")
    if _OUR_UNITS.fullmatch(value.rpartition(".")[0]):
        refuse(f"{value!r} is a unit of this toolkit, or of the system that it sets up", next_step=_NEVER_DECLARED)
    return value


def _package(value: str) -> str:
    if not re.fullmatch(_PACKAGE, value, re.ASCII):
        _not_of_form(value, "the name of a Debian package", "one such as agent, without version or architecture")
    if _OUR_PACKAGES.fullmatch(value):
        refuse(f"{value!r} is a package that this toolkit takes from Debian", next_step=_NEVER_DECLARED)
    return value


def _local_account(value: str) -> str:
    if not re.fullmatch(_ACCOUNT, value, re.ASCII):
        _not_of_form(value, "the name of a local account", "one such as agent")
    # root's is there whatever is declared; that it has a password, for the DSI at the console, may be.
    if OF_THE_SYSTEM.fullmatch(value) and value != "root":
        refuse(f"{value!r} is an account of the system or of this toolkit", next_step=_NEVER_DECLARED)
    return value


def _table(value: str) -> str:
    if not re.fullmatch(_TABLE, value, re.ASCII):
        _not_of_form(value, "the family and the name of an nftables table", '"inet f2b-table"')
    if value.partition(" ")[2].startswith("filae"):
        refuse(f"{value!r} is this toolkit's own table", next_step=_NEVER_DECLARED)
    return value


def _written(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


class Addition(Strict):
    """One thing that is not of this toolkit nor of Debian; names exactly one path, unit, package, account or table."""

    path: Annotated[str, AfterValidator(_path), _written(_PATH)] | None = None
    """A file, or a folder with all that it holds."""
    unit: Annotated[str, AfterValidator(_unit), _written(_UNIT_NAME)] | None = None
    """A systemd unit: its files and links, what it listens on."""
    package: Annotated[str, AfterValidator(_package), _written(_PACKAGE)] | None = None
    """A package that is not from Debian: dpkg accounts for what it holds."""
    account: Annotated[str, AfterValidator(_local_account), _written(_ACCOUNT)] | None = None
    """A local account."""
    nft_table: Annotated[str, AfterValidator(_table), _written(_TABLE)] | None = None
    """An nftables table, by family and name."""
    purpose: Text
    """What it is for, as the review shows it."""
    owner: Party = "dsi"
    """Who answers for it."""

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        named = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(named) != 1:
            given = " and ".join(f"`{kind}`" for kind in named) or "nothing"
            refuse(
                f"an addition names exactly one thing, this one {given}",
                next_step=f"write one of {', '.join(KINDS)} in each entry",
            )
        return self

    @property
    def kind(self) -> str:
        """Return which of KINDS it names."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def name(self) -> str:
        """Return the path, unit, package, account or table that it names."""
        return str(getattr(self, self.kind))


def accounts_for(additions: Sequence[Addition], path: str) -> Addition | None:
    """Return the entry that accounts for a path of the machine: it, a folder above it, or the unit that it is of."""
    unit = unit_of(path)
    return next((each for each in additions if _holds(each, path)), None) or (
        accounts_for_unit(additions, unit) if unit else None
    )


def accounts_for_unit(additions: Sequence[Addition], name: str) -> Addition | None:
    """Return the entry that accounts for a unit: it, its template, or an instance of the template that it is."""
    return next((each for each in additions if each.unit and _same_unit(each.unit, name)), None)


def unit_of(path: str) -> str | None:
    """Return the unit that a file, a folder of fragments or a link below systemd's folders is of."""
    match = _BELOW_UNIT_FOLDERS.fullmatch(path)
    return (match["file"] or match["fragments"] or match["link"]) if match else None


def overlaps(additions: Sequence[Addition]) -> Iterator[tuple[int, str]]:
    """Return the entries that say what another one says already: the number of each, and that other's name."""
    for number, addition in enumerate(additions):
        for other in (each for place, each in enumerate(additions) if place != number):
            twice = (addition.kind, addition.name) == (other.kind, other.name)
            if twice or (addition.path and accounts_for([other], addition.path)):
                yield number, other.name
                break


def _holds(addition: Addition, path: str) -> bool:
    return bool(addition.path) and (path == addition.path or path.startswith(f"{addition.path}/"))


def _same_unit(declared: str, name: str) -> bool:
    return name in (declared, _template(declared)) or _template(name) == declared


def _template(unit: str) -> str:
    """Return the template of an instance, else the unit itself."""
    name, _, kind = unit.rpartition(".")
    return f"{name.partition('@')[0]}@.{kind}" if "@" in name else unit
