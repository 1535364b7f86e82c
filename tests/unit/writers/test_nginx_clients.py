"""How nginx numbers clients: told apart on one machine, and not found back from a number."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network

import pytest

from filae_ops.errors import OpsError
from filae_ops.writers.filters import FILTERS

SECRET, ANOTHER = string.ascii_letters + string.digits + "xY", string.digits + "Zz" + string.ascii_letters
ADDRESSES = [IPv4Address(f"10.20.30.{number}") for number in range(200)]


def murmur(data: bytes) -> int:
    """Return MurmurHash2, as nginx has it."""
    factor, value = 0x5BD1E995, len(data)
    while len(data) >= 4:
        block = int.from_bytes(data[:4], "little") * factor & 0xFFFFFFFF
        block = (block ^ block >> 24) * factor & 0xFFFFFFFF
        value = (value * factor & 0xFFFFFFFF) ^ block
        data = data[4:]
    if data:
        value = (value ^ int.from_bytes(data, "little")) * factor & 0xFFFFFFFF
    value = (value ^ value >> 13) * factor & 0xFFFFFFFF
    return value ^ value >> 15


def numbering(secret: str) -> Callable[[IPv4Address], int]:
    """Return how the include numbers a network, as split_clients does."""
    text = FILTERS["nginx_clients"](secret)
    ends = re.search(r'"(\w+)\$\{filae_network\}(\w+)" \$filae_client', text)
    assert ends
    before, after = (end.encode() for end in ends.groups())
    parts = re.findall(r"^    (0\.1%|\*) (\d+);$", text, re.M)
    assert [int(number) for _, number in parts] == list(range(1000))
    return lambda address: min(999, murmur(before + address.packed + after) // (0xFFFFFFFF // 1000))


def alike(secret: str, other: str) -> int:
    """Return how many of the addresses have the same number by two secrets."""
    one, two = numbering(secret), numbering(other)
    return sum(one(address) == two(address) for address in ADDRESSES)


def test_clients_are_told_apart_and_numbered_otherwise_on_another_machine() -> None:
    assert len(set(map(numbering(SECRET), ADDRESSES))) > 170
    assert alike(SECRET, ANOTHER) < 5


@pytest.mark.parametrize("other", [SECRET[:-1] + "0", "0" + SECRET[1:]])
def test_a_secret_that_is_nearly_the_right_one_tells_nothing(other: str) -> None:
    assert alike(SECRET, other) < 5


def test_also_with_the_secret_a_number_is_that_of_many_addresses() -> None:
    numbers = Counter(map(numbering(SECRET), IPv4Network("10.20.0.0/18")))
    assert len(numbers) == 1000
    assert min(numbers.values()) >= 3


@pytest.mark.parametrize(
    "secret", ["", "short", SECRET[:-1] + '"', SECRET[:-1] + "$", SECRET + "0", f"{SECRET[:-1]}\n", None]
)
def test_what_is_no_secret_is_refused(secret: object) -> None:
    with pytest.raises(OpsError, match="64 letters and digits"):
        FILTERS["nginx_clients"](secret)
