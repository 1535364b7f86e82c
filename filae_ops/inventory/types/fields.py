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

from filae_ops.agent.system.host_name import is_address, is_dns_name
from filae_ops.errors import Owner

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_EMAIL = re.compile(r"[^@\s]+@([^@\s]+)")


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
    if not is_address(value):
        refuse(f"{value!r} is not an IP address", next_step="write one such as 192.0.2.10", owner="dsi")
    return value


def _host(value: str) -> str:
    if not (is_address(value) or is_dns_name(value)):
        refuse(
            f"{value!r} is neither an IP address nor a DNS name in lower case",
            next_step="write one such as 192.0.2.10 or ntp.chv.example",
            owner="dsi",
        )
    return value


def _public_name(value: str) -> str:
    if is_address(value) or not is_dns_name(value) or "." not in value:
        refuse(
            f"{value!r} is not a full DNS name in lower case",
            next_step="write the name that users type, such as filae.chv.example",
            owner="dsi",
        )
    return value


def check_cidr(value: str) -> str:
    """Refuse what is not a network, or is every address."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        refuse(f"{value!r} is not a network", next_step="write one such as 192.0.2.0/24", owner="dsi")
    if network.prefixlen == 0:
        refuse(
            f"{value!r} is every address",
            next_step="name the networks; a flow may say `internet`",
            owner="dsi",
        )
    if "/" in value and str(ipaddress.ip_interface(value).ip) != str(network.network_address):
        refuse(f"{value!r} has host bits set", next_step=f"write {network}, or the address alone", owner="dsi")
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value:
        refuse(
            f"{value!r} is not an http(s) address",
            next_step="write one such as http://proxy.chv.example:3128",
        )
    if "@" in value.split("://", 1)[1].split("/", 1)[0]:
        refuse(
            "an address with a user or a password in it",
            next_step="ask for an access without password from this machine; secrets are never in clear here",
            owner="dsi",
        )
    return value


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
    return value


Text = Annotated[str, AfterValidator(_text)]
RelativePath = Annotated[
    Text,
    AfterValidator(_inside),
    WithJsonSchema({"type": "string", "pattern": r"^(?!/)(?!(.*/)?\.\.(/|$)).+$"}),
]
Address = Annotated[str, AfterValidator(_address)]
HostOrAddress = Annotated[str, AfterValidator(_host)]
PublicName = Annotated[str, AfterValidator(_public_name)]
Cidr = Annotated[str, AfterValidator(check_cidr)]
Url = Annotated[str, AfterValidator(_url)]
Email = Annotated[str, AfterValidator(_email)]
Port = Annotated[int, Field(ge=1, le=65535)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$")]


def duplicates(values: Iterable[str]) -> list[str]:
    """Return the values that occur more than once, each once."""
    return [value for value, times in Counter(values).items() if times > 1]
