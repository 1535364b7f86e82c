"""Values that configuration files take, parsed: what these functions return is built from what was understood.

Each takes what was given and returns its one spelling; ValueError says what is wrong with it, without repeating it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.system.host_name import is_address, is_dns_name
from filae_ops.agent.system.plain_text import plain
from filae_ops.errors import OpsError

Parsed = TypeVar("Parsed")
_CORRECT = "correct it in the inventory, then run the same command again"
_PERSON = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_URL_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~+-]+)*/?", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}(@[A-Za-z0-9.-]{1,63})?", re.ASCII)
_PATH = re.compile(r"[~/\w][\w./ @+=,'-]{0,1023}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_LOCALE = re.compile(r"(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8", re.ASCII)
_TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}", re.ASCII)
_SIZE = re.compile(r"[1-9][0-9]{0,5}[KMGT]?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,12}", re.ASCII)
_CLIENT_SECRET = re.compile(r"[A-Za-z0-9]{64}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def carried(where: str, parse: Callable[[object], Parsed], value: object, *, next_step: str = _CORRECT) -> Parsed:
    """Return a value parsed for a place that will hold it; OpsError names the place and the value."""
    try:
        return parse(value)
    except ValueError as error:
        shown = plain(repr(value))
        raise OpsError(
            f"{where} cannot hold {shown if len(shown) <= 120 else f'{shown[:117]}...'}: {error}",
            next_step=next_step,
        ) from None


def matching(pattern: re.Pattern[str], value: object, meaning: str) -> str:
    """Return a text that a pattern matches whole."""
    if not isinstance(value, str) or not (match := pattern.fullmatch(value)):
        raise ValueError(f"not {meaning}")
    return match[0]


def slug(value: object) -> str:
    """Return a short name of ours: of a site, a machine, a flow, a signer."""
    return matching(_SLUG, value, "a name of a-z, 0-9, - . and _ (63 at most, a letter or digit at both ends)")


def account(value: object) -> str:
    """Return the name of an account to log in as: a Linux user, or one of a directory (`user@domain`)."""
    return matching(_ACCOUNT, value, "the name of an account (letters, digits and . _ -)")


def person(value: object) -> str:
    """Return the name of a person's account that provisioning makes."""
    return matching(_PERSON, value, "a Linux user name (small letters, digits, - and _, a letter first)")


def file_path(value: object) -> str:
    """Return the path of a file of the controller: no `"`, no `%` or `$`, which programs replace, no leading dash."""
    return matching(_PATH, value, "a path of letters, digits, spaces and . / _ @ + = , ' - (`~` first)")


def clock(value: object) -> str:
    """Return a time of day, as 22:00."""
    return matching(_CLOCK, value, "a time of day such as 22:00")


def locale(value: object) -> str:
    """Return a UTF-8 locale, as fr_FR.UTF-8."""
    return matching(_LOCALE, value, "a UTF-8 locale such as fr_FR.UTF-8")


def timezone(value: object) -> str:
    """Return the name of a time zone, which is also a path below /usr/share/zoneinfo."""
    return matching(_TIMEZONE, value, "a time zone such as Europe/Paris")


def size(value: object) -> str:
    """Return an amount of disk, as 1G."""
    return matching(_SIZE, value, "a size such as 500M or 1G")


def day(value: object) -> dt.date:
    """Return a day, given as a date or as YYYY-MM-DD."""
    return dt.date.fromisoformat(matching(_DATE, str(value), "a date such as 2027-06-30"))


def whole(value: object, lowest: int = 0, highest: int = 2**31) -> int:
    """Return a whole number within bounds."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and _DIGITS.fullmatch(value))):
        raise ValueError("not a whole number")
    number = int(value)
    if not lowest <= number <= highest:
        raise ValueError(f"not between {lowest} and {highest}")
    return number


def port(value: object) -> int:
    """Return a TCP or UDP port."""
    return whole(value, 1, 65535)


def dns_name(value: object) -> str:
    """Return a DNS name in lower case, without a final dot (RFC 1123)."""
    if not isinstance(value, str) or not is_dns_name(value):
        raise ValueError("not a DNS name in lower case")
    return str(value)


def address(value: object) -> str:
    """Return an IPv4 or IPv6 address in its one spelling; a scope (`%eth0`) may hold any text, and is refused."""
    if not isinstance(value, str) or not is_address(value):
        raise ValueError("not an IP address")
    return ipaddress.ip_address(value).compressed


def host(value: object) -> str:
    """Return an IP address or a DNS name."""
    try:
        return address(value)
    except ValueError:
        return dns_name(value)


def network(value: object) -> str:
    """Return a network in CIDR; an address alone stays one."""
    text = value if isinstance(value, str) else ""
    if "/" not in text:
        return address(text)
    base, _, length = text.partition("/")
    try:
        parsed = ipaddress.ip_network(f"{address(base)}/{whole(length, 0, 128)}")
    except ValueError as error:
        raise ValueError("has host bits set" if "host bits" in str(error) else "not a network") from None
    if parsed.prefixlen == 0:
        raise ValueError("every address")
    return parsed.with_prefixlen


def url(value: object) -> str:
    """Return an http or https address: a host, a port, a plain path; no user, no query."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise ValueError
        name = host(parts.hostname)
        where = f"[{name}]" if ":" in name else name
        where += f":{parts.port}" if parts.port else ""
        parsed = f"{parts.scheme}://{where}{matching(_URL_PATH, parts.path, 'a path')}"
    except ValueError:
        raise ValueError("not an http(s) address: a host, a port, a path of letters, digits and . _ ~ + -") from None
    if parsed.lower() != str(value).lower():
        raise ValueError(f"not written as it is understood: {parsed}")
    return parsed


def secret_name(value: object) -> str:
    """Return the name of a secret that people supply, by the rule of contracts: it names a file, and a credential."""
    if not isinstance(value, str):
        raise ValueError("is not the name of a secret")
    return field_rules.slug(str(value))


def client_secret(value: object) -> str:
    """Return the secret by which nginx numbers clients."""
    return matching(_CLIENT_SECRET, value, "64 letters and digits")
