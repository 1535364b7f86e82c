"""What provisioning would place, as the roles' own tasks and templates have it, without a machine or a vault."""

from __future__ import annotations

import copy
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from material.inventories import DEMO, quick

from filae_ops.agent.zipapp import build_zipapp
from filae_ops.errors import OpsError
from filae_ops.paths import data_path
from filae_ops.verification import placed_by_roles as placing
from filae_ops.verification.gather import firewall_rules
from filae_ops.verification.placed_by_roles import Placement, placed_by_roles

HDS = data_path("inventories", "hds-host")
Placed = dict[str, Placement]


@pytest.fixture(scope="module")
def hds() -> Placed:
    """A hospital's own certificate, and an encrypted secrets.yml of which nobody here has the password."""
    return placed_by_roles(HDS)["filae-prod"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Placed]:
    """Two machines with an authority of their own; the second has more memory, and cdiallo was revoked."""
    site = tmp_path_factory.mktemp("site") / "demo"
    shutil.copytree(DEMO, site)
    text = (site / "hosts.yml").read_text()
    hosts = yaml.safe_load(text)["filae"]["hosts"]
    twin = {**copy.deepcopy(hosts["filae-demo"]), "ansible_host": "192.0.2.99"}
    twin["machine"]["memory_mib"] = 65536
    access = site / "group_vars/all/access.yml"
    access.write_text(access.read_text().replace("- name: cdiallo\n", "- name: cdiallo\n      state: absent\n"))
    (site / "hosts.yml").write_text(yaml.safe_dump({"filae": {"hosts": {**hosts, "twin": twin}}}))
    return placed_by_roles(site / "hosts.yml")


def sha256(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def test_the_bytes_are_those_of_the_roles_templates(hds: Placed) -> None:
    rules = sha256(firewall_rules(quick(HDS)) + "\n")
    assert hds["/etc/filae/firewall.nft"] == Placement("file", "root", "root", "0600", rules, None, "firewall")
    assert hds["/etc/filae/firewall.next.nft"].sha256 == rules
    assert hds["/etc/timezone"].sha256 == sha256("Europe/Paris\n")
    assert hds["/etc/filae/tls/served-ca.pem"].sha256 == sha256((HDS / quick(HDS).tls.root).read_text().rstrip() + "\n")


def test_the_agent_is_the_one_that_would_be_packed(hds: Placed, tmp_path: Path) -> None:
    packed = build_zipapp(tmp_path / "filaectl")
    assert hds["/usr/local/sbin/filaectl"] == Placement("file", "root", "root", "0755", packed, None, "agent")


def test_owner_mode_and_target_are_those_that_the_modules_give(hds: Placed) -> None:
    assert hds["/srv/filae"] == Placement("directory", "root", "filae", "0750", None, None, "app")
    assert hds["/var/log/journal"].mode == "2755"
    assert (hds["/etc/filae"].user, hds["/etc/filae"].group, hds["/etc/filae"].mode) == ("root", "root", "0755")
    assert hds["/etc/nginx/nginx.conf"].mode == "0644"
    assert hds["/etc/localtime"] == Placement(
        "link", "root", "root", "0777", None, "/usr/share/zoneinfo/Europe/Paris", "base"
    )
    assert hds["/etc/ssh/sshd_config.d/00-filae.conf"].mode == "0600"


def test_of_a_secret_owner_and_mode_are_known_and_never_its_content(hds: Placed) -> None:
    assert hds["/etc/filae/tls/key.pem"] == Placement("file", "root", "root", "0600", None, None, "tls")


def test_what_the_machine_writes_itself_has_no_digest(hds: Placed) -> None:
    assert hds["/etc/nginx/filae/upstream.conf"].sha256 is None
    assert hds["/etc/filae/firewall.next.nft.live"] == Placement("file", "root", "root", "0600", None, None, "firewall")
    assert hds["/etc/ssh/sshd_config.d/00-filae.conf.previous"].optional


def test_a_condition_of_a_task_is_obeyed(hds: Placed, demo: dict[str, Placed]) -> None:
    assert hds["/etc/filae/tls/local-ca/ca.key"].optional, (
        "a machine that had its own authority before still has its files"
    )
    own = demo["filae-demo"]
    assert own["/etc/filae/tls/local-ca/ca.key"] == Placement("file", "root", "root", "0600", None, None, "tls")
    assert own["/etc/filae/tls/fullchain.pem"].sha256 is None


def test_an_account_that_is_revoked_has_no_file(demo: dict[str, Placed]) -> None:
    keys = {path for path in demo["filae-demo"] if path.startswith("/etc/ssh/authorized_keys.d/")}
    assert keys == {"/etc/ssh/authorized_keys.d/amartin", "/etc/ssh/authorized_keys.d/bnguyen"}


def test_each_machine_of_a_site_has_its_own(demo: dict[str, Placed]) -> None:
    settings = [demo[name]["/etc/postgresql/17/main/conf.d/filae.conf"].sha256 for name in ("filae-demo", "twin")]
    assert len(set(settings)) == 2
    assert demo["filae-demo"].keys() == demo["twin"].keys()


def paths_in(value: Any) -> set[str]:
    """Return the paths that the arguments of a task name as they are."""
    if isinstance(value, dict):
        own = {value["path"]} if "path" in value else set()
        return own.union(*map(paths_in, value.values()))
    return set().union(*map(paths_in, value)) if isinstance(value, list) else set()


def test_no_task_that_places_is_passed_over(hds: Placed, demo: dict[str, Placed]) -> None:
    """Each path that a role's task names is there: for one of these two machines at least."""
    named: set[str] = set()
    for file in data_path("roles").glob("*/tasks/*.yml"):
        for task in yaml.safe_load(file.read_text()):
            for each in [task, *task.get("block", [])]:
                named |= paths_in([each.get("place_files"), each.get("confirmed_change")])
    assert len(named) > 40
    assert named - hds.keys() - demo["filae-demo"].keys() == set()


def test_an_inventory_that_is_refused_is_refused_here_in_its_own_words(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    file = tmp_path / "demo/group_vars/all/site.yml"
    file.write_text(file.read_text().replace("timezone: Europe/Paris", "timezone: Nowhere/Atall"))
    with pytest.raises(OpsError, match="Nowhere/Atall") as refused:
        placed_by_roles(tmp_path / "demo")
    assert refused.value.owner == "provider"
    assert "plugin" not in str(refused.value)


def test_a_template_that_does_not_render_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    playbook = [{"hosts": "filae", "tasks": [{"place_files": {"files": [{"path": "/x", "content": "{{ nowhere }}"}]}}]}]
    (tmp_path / "provision.yml").write_text(yaml.safe_dump(playbook))
    monkeypatch.setattr(placing, "data_path", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(OpsError, match="'nowhere' is undefined") as refused:
        placed_by_roles(DEMO)
    assert refused.value.next_step == f"filae-ops -i {DEMO}/hosts.yml provision --check"
