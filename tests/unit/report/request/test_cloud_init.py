"""The first access that cloud-init takes: a key and a host key to check, never a password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from material.requests import DAY, DEMO, Edit

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.draft import Draft, draft
from filae_ops.paths import data_path
from filae_ops.report.request.cloud_init import user_data


def config(read: Draft, **changes: Any) -> dict[str, Any]:
    text = user_data(read, changes.get("machine", "filae-demo"), changes.get("account", "debian"), DAY)
    assert text.startswith("#cloud-config\n")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def test_the_first_access_is_a_key_and_no_password() -> None:
    found = config(draft(DEMO))
    (user,) = found["users"]
    assert (user["name"], user["lock_passwd"], len(user["ssh_authorized_keys"])) == ("debian", True, 2)
    assert (found["ssh_pwauth"], found["disable_root"], found["ssh_deletekeys"]) == (False, True, True)
    assert found["hostname"] == "filae-demo"
    assert found["ntp"]["servers"] == ["192.0.2.54"]
    assert found["apt"]["http_proxy"] == "http://192.0.2.55:3128"
    assert "qemu-guest-agent" in found["packages"]
    assert "/dev/console" in found["runcmd"][-1][-1]
    assert "chpasswd" not in found
    assert "passwd" not in user


def test_a_mirror_is_written_as_the_role_writes_it(site: Path, edit: Edit) -> None:
    edit(
        "patching.yml", "patching:\n",
        "patching:\n  mirror:\n    url: http://m.chv.example/debian\n    security_url: http://m.chv.example/security\n",
    )  # fmt: skip
    template = data_path("roles", "base", "templates", "debian.sources.j2").read_text().split("\n", 1)[1]
    written = template.replace("{{ base_mirror.url | apt_url }}", "http://m.chv.example/debian")
    written = written.replace("{{ base_mirror.security_url | apt_url }}", "http://m.chv.example/security")
    assert config(draft(site))["apt"]["sources_list"] == written


def test_only_keys_that_work_enter(site: Path, edit: Edit) -> None:
    edit("access.yml", "    - name: bnguyen\n", "    - name: bnguyen\n      state: absent\n")
    assert len(config(draft(site))["users"][0]["ssh_authorized_keys"]) == 1
    edit("access.yml", "until: 2027-06-30", "until: 2026-11-21")
    with pytest.raises(OpsError, match="nobody could enter"):
        config(draft(site))


BLANKS = {
    "whether somebody is present": ("    - name: bnguyen\n", "    - name: bnguyen\n      state: a-renseigner\n"),
    "how long a key works": ("until: 2027-06-30\n    - name: bnguyen", "until: a-renseigner\n    - name: bnguyen"),
}


@pytest.mark.parametrize("case", BLANKS)
def test_what_nobody_said_yet_opens_nothing(case: str, site: Path, edit: Edit) -> None:
    edit("access.yml", *BLANKS[case])
    assert len(config(draft(site))["users"][0]["ssh_authorized_keys"]) == 1


def test_a_scaffold_without_keys_gives_no_first_access(scaffold: Draft) -> None:
    with pytest.raises(OpsError, match=r"access\.operators"):
        config(scaffold, machine="filae")


def test_what_is_not_known_is_left_to_the_image(site: Path, edit: Edit) -> None:
    edit("flows.yml", "time_sources: [192.0.2.54]", "time_sources: [a-renseigner]")
    edit("flows.yml", "outbound_internet: proxy", "outbound_internet: a-renseigner")
    found = config(draft(site))
    assert not {"ntp", "apt"} & set(found)


@pytest.mark.parametrize("name", ["no", "1e3", "null", "0x1f", "2026-01-01", "on"])
def test_names_that_yaml_takes_for_something_else_are_quoted(name: str, site: Path, edit: Edit) -> None:
    edit("hosts.yml", "filae-demo:", f'"{name}":')
    assert config(draft(site), machine=name)["hostname"] == name
