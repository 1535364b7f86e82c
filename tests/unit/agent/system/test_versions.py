from __future__ import annotations

import itertools

import pytest

from filae_ops.agent.system.versions import is_version, version_key

ORDERED = [
    "0.9", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-rc.2",
    "1.0.0-rc.10", "1.0.0", "1.0.0.1", "1.0.1", "1.2.0", "1.10.0", "2.0-rc.1", "2.0", "2.0.0", "2.0.0.0",
    "10.0.0",
]  # fmt: skip


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(ORDERED)))
def test_lower_is_lower(lower, higher):
    assert version_key(lower) < version_key(higher)


def test_the_order_is_total():
    assert sorted(sorted(ORDERED), key=version_key) == ORDERED
    assert len({version_key(version) for version in ORDERED}) == len(ORDERED)


@pytest.mark.parametrize(
    "value",
    ["", "1", "v1.0", "1.0.", ".1", "1..0", "01.0", "1.00", "1.0-", "1.0-01", "1.0-RC", "1.0-a..b", "1.0+b",
     "1.0 ", "1.0\n", "\u0661.0", "1.0/..", "1.0.0.0.0", "1.9999999999", "1.0-" + "a" * 70,
     None, 1.0, ["1.0"]],
)  # fmt: skip
def test_what_is_not_a_version(value):
    assert not is_version(value)
