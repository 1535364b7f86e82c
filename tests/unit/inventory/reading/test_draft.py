"""A draft: read before the machine is there, with what is given held to the same rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.draft import draft
from filae_ops.inventory.reading.problems import InventoryError
from filae_ops.inventory.types.choices import MODELS
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.scaffold import write

Edit = Callable[[str, str, str], Path]


@pytest.mark.parametrize("model", MODELS)
def test_a_scaffold_is_read_with_its_blanks(model: str, tmp_path: Path) -> None:
    write(tmp_path / "site", Answers(name="chv-production", hosting=model))
    read = draft(tmp_path / "site")
    assert read.get("hosts.filae.machine.cpus") == 2
    assert read.get("hosts.filae.host_key") is None
    assert read.get("network.dns_servers") == [None]
    assert read.known_by("network.dns_servers") == "dsi"
    assert read.known_by("access.operators") == "provider"
    with pytest.raises(InventoryError):
        quick(tmp_path / "site")


def test_a_whole_inventory_reads_the_same(site: Path) -> None:
    read, loaded = draft(site), quick(site)
    assert read.fingerprint == loaded.fingerprint
    assert read.get("network.public_name") == loaded.network.public_name
    assert read.get("site.contacts.dsi.email") == loaded.site.contacts.dsi.email
    assert draft(site / "hosts.yml") == read


# case, file, text, its replacement
WAITS = {
    "a required value": ("flows.yml", "public_name: filae.chv.example", "public_name: a-renseigner"),
    "one of a list": ("flows.yml", "[192.0.2.53, 2001:db8::53]\n  # S", "[192.0.2.53, a-renseigner]\n  # S"),
    "a number": ("hosts.yml", "memory_mib: 4096", "memory_mib: a-renseigner"),
    "the other end of a flow": ("flows.yml", "from: [192.0.2.64/26, 2001:db8:10::/48]", "from: a-renseigner"),
    "a flow's port": ("flows.yml", "port: 3128", "port: a-renseigner"),
    "a proxy, of which the mode is known": ("flows.yml", "proxy: http://192.0.2.55:3128", "proxy: a-renseigner"),
    "a key that is absent": ("flows.yml", "  public_name: filae.chv.example\n", ""),
    "a key": ("access.yml", "until: 2027-06-30", "until: a-renseigner"),
}


@pytest.mark.parametrize("case", WAITS)
def test_what_is_to_fill_in_may_wait(case: str, site: Path, edit: Edit) -> None:
    edit(*WAITS[case])
    assert draft(site).get("site.name") == "chv-demo"
    with pytest.raises(OpsError):
        quick(site)


REFUSED = {
    "a bad address": ("flows.yml", "dns_servers: [192.0.2.53, 2001:db8::53]", "dns_servers: [a-renseigner, 300.1.1.1]"),
    "an unknown key": ("flows.yml", "public_name:", "publik_name:"),
    "a template": ("site.yml", "name: chv-demo", 'name: "{{ name }}"'),
    "a duplicate key": ("site.yml", "  name: chv-demo", "  name: chv-demo\n  name: other"),
    "a tab": ("site.yml", "  name: chv-demo", "\tname: chv-demo"),
    "a date that does not exist": ("access.yml", "until: 2027-06-30", "until: 2027-02-30"),
    "a password": ("hosts.yml", "host_key:", "ansible_password: x\n      host_key:"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_given_is_held_to_the_rules(case: str, site: Path, edit: Edit) -> None:
    edit("site.yml", "establishment: Centre hospitalier de Valombre (fictif)", "establishment: a-renseigner")
    edit(*REFUSED[case])
    with pytest.raises(OpsError) as caught:
        draft(site)
    assert REFUSED[case][0] in str(caught.value)


@pytest.mark.parametrize("name", ['"vm\\nbootcmd: [touch /x]\\n"', '"-oProxyCommand"', "localhost", "'*'"])
def test_a_name_is_refused_whatever_is_blank_below_it(name: str, tmp_path: Path) -> None:
    write(tmp_path / "site", Answers(name="chv-production", hosting="internal_vendor_admin"))
    hosts = tmp_path / "site/hosts.yml"
    hosts.write_text(hosts.read_text().replace("    filae:\n", f"    {name}:\n"))
    with pytest.raises(InventoryError):
        draft(tmp_path / "site")
