"""Names and addresses under which a machine is reached."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def is_dns_name(value: str) -> bool:
    """Tell whether `value` is a DNS name in lower case, without a final dot."""
    labels = value.split(".")
    return len(value) <= 253 and all(re.fullmatch(_LABEL, label) for label in labels) and not labels[-1].isdigit()


def is_address(value: str) -> bool:
    """Tell whether `value` is an IPv4 or IPv6 address; one with a scope (`%eth0`), which may hold any text, is none."""
    import ipaddress  # not at the top: a process of the release starts without

    try:
        return getattr(ipaddress.ip_address(value), "scope_id", None) is None
    except ValueError:
        return False


def is_host(value: object) -> bool:
    """Tell whether this is a name or an address, and nothing more."""
    return isinstance(value, str) and (is_dns_name(value) or is_address(value))
