"""Each parser returns one spelling, and says what is wrong with what it refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from filae_ops.errors import OpsError
from filae_ops.writers import parsing


class AnsibleInt(int):
    """As Ansible gives numbers: a kind of int of its own, which remembers where it was written."""


class AnsibleText(str):
    """As Ansible gives texts."""

    __slots__ = ()


ONE_SPELLING: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (parsing.whole, 365, 365),
    (parsing.whole, AnsibleInt(365), 365),
    (parsing.whole, "0365", 365),
    (parsing.port, AnsibleText("443"), 443),
    (parsing.address, "2001:DB8:0:0::1", "2001:db8::1"),
    (parsing.address, AnsibleText("192.0.2.1"), "192.0.2.1"),
    (parsing.host, "ntp.chv.example", "ntp.chv.example"),
    (parsing.network, "2001:DB8::/32", "2001:db8::/32"),
    (parsing.network, "192.0.2.1", "192.0.2.1"),
    (parsing.url, "http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
    (parsing.url, "HTTP://Proxy.chv.example/debian/", "http://proxy.chv.example/debian/"),
    (parsing.timezone, "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    (parsing.timezone, "Etc/GMT+5", "Etc/GMT+5"),
    (parsing.day, dt.date(2027, 6, 30), dt.date(2027, 6, 30)),
    (parsing.day, "2027-06-30", dt.date(2027, 6, 30)),
    (parsing.file_path, "~/clés/clé d'amélie", "~/clés/clé d'amélie"),
    (parsing.account, "a.martin@chv.example", "a.martin@chv.example"),
]

REFUSED: list[tuple[Callable[[Any], Any], Any]] = [
    (parsing.whole, True),
    (parsing.whole, 1.0),
    (parsing.whole, "1_000"),
    (parsing.whole, "٣"),
    (parsing.whole, -1),
    (parsing.whole, "9" * 5000),
    (parsing.port, 0),
    (parsing.port, 65536),
    (parsing.address, "fe80::1%eth0"),
    (parsing.address, "127.1"),
    (parsing.address, 2130706433),
    (parsing.address, None),
    (parsing.network, "0.0.0.0/0"),
    (parsing.network, "192.0.2.1/24"),
    (parsing.network, "192.0.2.0/255.255.255.0"),
    (parsing.network, "fe80::%eth0/64"),
    (parsing.url, "http://a\n:80/"),
    (parsing.url, "http://user@a/"),
    (parsing.url, "http://a/x?y"),
    (parsing.url, "http://a:0080/"),
    (parsing.url, "ftp://a/"),
    (parsing.url, "http://a/%0a"),
    (parsing.url, "http://a/../b"),
    (parsing.timezone, "../../etc/passwd"),
    (parsing.day, "2027-02-30"),
    (parsing.day, "20270630"),
    (parsing.file_path, "-x"),
    (parsing.file_path, "/a%h"),
    (parsing.slug, "a\n"),
    (parsing.dns_name, "a" * 64 + ".example"),
]


@pytest.mark.parametrize(("parse", "value", "expected"), ONE_SPELLING)
def test_a_value_has_one_spelling_of_a_plain_type(parse: Callable[[Any], Any], value: Any, expected: Any) -> None:
    parsed = parse(value)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(("parse", "value"), REFUSED)
def test_what_has_none_is_refused(parse: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(OpsError) as refused:
        parsing.carried("a file", parse, value)
    assert "a file cannot hold" in str(refused.value)
    assert len(str(refused.value)) < 600
