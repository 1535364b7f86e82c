"""The small types that the inventory is made of, and how a value is refused."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from filae_ops.agent.system.host_name import is_dns_name
from filae_ops.errors import Owner
from filae_ops.writers import parsing

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
# RFC 5321's dot-string, no quoted one.
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([A-Za-z0-9.-]+)")


# Tasks for the controller would go to a machine of that name.
_MEANT_BY_ANSIBLE = frozenset({"127.0.0.1", "localhost", "all", "ungrouped"})


class Strict(BaseModel):
    """What is declared: nothing unknown, nothing converted, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def refuse(why: str, *, next_step: str, owner: Owner = "provider", at: tuple[str | int, ...] = ()) -> NoReturn:
    """Refuse a value: `why` names it, `owner` acts, `next_step` says how, `at` is the place below."""
    raise PydanticCustomError("refused", "{why}", {"why": why, "owner": owner, "next_step": next_step, "at": at})


def _text(value: str) -> str:
    if not value.strip() or value != value.strip():
        refuse("empty, or has spaces around it", next_step="write the value, or remove the key")
    if not value.isprintable():
        refuse("has a line break or a control character", next_step="write it on one line")
    return value


def _address(value: str) -> str:
    try:
        return parsing.address(value)
    except ValueError:
        refuse(f"{value!r} is not an IP address", next_step="write one such as 192.0.2.10", owner="dsi")


def _host(value: str) -> str:
    try:
        return parsing.host(value)
    except ValueError:
        refuse(
            f"{value!r} is neither an IP address nor a DNS name in lower case",
            next_step="write one such as 192.0.2.10 or ntp.chv.example",
            owner="dsi",
        )


def _public_name(value: str) -> str:
    try:
        name = parsing.dns_name(value)
    except ValueError:
        name = ""
    if "." not in name:
        refuse(
            f"{value!r} is not a full DNS name in lower case",
            next_step="write the name that users type, such as filae.chv.example",
            owner="dsi",
        )
    return name


def check_cidr(value: str) -> str:
    """Return a network in its one spelling; refuse what is none, or is every address."""
    try:
        return parsing.network(value)
    except ValueError as error:
        why = str(error)
    if why == "every address":
        step = "name the networks; a flow may say `internet`"
        refuse(f"{value!r} is every address", next_step=step, owner="dsi")
    if why == "has host bits set":
        step = f"write {ipaddress.ip_network(value, strict=False)}, or the address alone"
        refuse(f"{value!r} has host bits set", next_step=step, owner="dsi")
    refuse(f"{value!r} is not a network", next_step="write one such as 192.0.2.0/24", owner="dsi")


def _without_password(value: str) -> None:
    if "@" in value.partition("://")[2].partition("/")[0]:
        refuse(
            "an address with a user or a password in it",
            next_step="ask for an access without password from this machine; secrets are never in clear here",
            owner="dsi",
        )


def _url(value: str) -> str:
    _without_password(value)
    try:
        return parsing.url(value)
    except ValueError as error:
        refuse(
            f"{value!r} is {error}",
            next_step="write one such as http://192.0.2.80:3128 or http://mirror.chv.example/debian",
        )


def _link(value: str) -> str:
    _without_password(value)
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value:
        refuse(f"{value!r} is not an http(s) address", next_step="write one such as https://host.example/transfers")
    return value


def _account(value: str) -> str:
    try:
        return parsing.account(value)
    except ValueError as error:
        refuse(f"{value!r} is {error}", next_step="write the account's name as the machine knows it, such as amartin")


def _machine_name(value: str) -> str:
    if value in _MEANT_BY_ANSIBLE:
        refuse(
            f"{value!r} stands for something else in Ansible: this computer, or a group",
            next_step="name the machine by its site and environment, such as chv-prod",
        )
    return value


def _key_path(value: str) -> str:
    try:
        return parsing.file_path(value)
    except ValueError as error:
        refuse(f"{value!r} is {error}", next_step="write a path such as ~/.ssh/id_ed25519")


def _email(value: str) -> str:
    match = _EMAIL.fullmatch(value)
    if not match or not is_dns_name(match[1].lower()):
        refuse(f"{value!r} is not an e-mail address", next_step="write one such as dsi@chv.example")
    return value


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        refuse(
            f"{value!r} leaves the inventory",
            next_step="give a path inside the inventory, such as evidence/aipd.pdf or tls/server.pem",
        )
    if "$" in value:
        refuse(f"{value!r} holds a `$`, which Ansible replaces by a variable", next_step="give the file a plain name")
    return value


Text = Annotated[str, AfterValidator(_text)]
RelativePath = Annotated[
    Text,
    AfterValidator(_inside),
    WithJsonSchema({"type": "string", "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$))[^$]+$"}),
]
Address = Annotated[str, AfterValidator(_address)]
HostOrAddress = Annotated[str, AfterValidator(_host)]
PublicName = Annotated[str, AfterValidator(_public_name)]
Cidr = Annotated[str, AfterValidator(check_cidr)]
Url = Annotated[str, AfterValidator(_url)]
"""An address that configuration files take: a host, a port, a plain path."""
Link = Annotated[str, AfterValidator(_link)]
"""An address that people follow."""
AccountName = Annotated[str, AfterValidator(_account)]
KeyPath = Annotated[str, AfterValidator(_key_path)]
Email = Annotated[str, AfterValidator(_email)]
Port = Annotated[int, Field(ge=1, le=65535)]
MachineName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$"), AfterValidator(_machine_name)]
"""Name of a machine in hosts.yml."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$")]


def duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, each once."""
    return [value for value, times in Counter(values).items() if times > 1]
