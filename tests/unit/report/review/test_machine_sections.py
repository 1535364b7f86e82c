"""What the review says of the playbooks: every role that they run is described, and none other."""

from __future__ import annotations

import re

import pytest
import yaml
from material.reviews import review

from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.review.machine_sections import changes_data


def roles_of(playbook: str) -> list[str]:
    """Return the roles that a playbook runs, each once: those of `roles` in their order, then those that it imports."""
    found: list[str] = []
    for play in yaml.safe_load(data_path("playbooks", f"{playbook}.yml").read_text()):
        tasks = [task for part in ("pre_tasks", "tasks", "post_tasks") for task in play.get(part, [])]
        found += [each["role"] for each in play.get("roles", [])]
        imported = (task.get("ansible.builtin.import_role") for task in tasks)
        found += [each["name"] for each in imported if each]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("playbook", ["provision", "deploy"])
def test_every_role_is_described_and_none_other(lang: Lang, playbook: str) -> None:
    assert list(changes_data(lang)[playbook]) == roles_of(playbook)


def test_both_languages_describe_as_much() -> None:
    fr, en = changes_data("fr"), changes_data("en")
    assert list(fr) == list(en) == ["provision", "deploy"]
    for playbook in fr:
        for role, said in fr[playbook].items():
            assert len(said["changes"]) == len(en[playbook][role]["changes"]), role
            assert said.get("places") == en[playbook][role].get("places"), role


@pytest.mark.parametrize("role", ["base", "access", "database", "tls", "proxy", "firewall", "agent", "app"])
def test_every_place_that_is_named_is_one_that_the_role_writes(role: str) -> None:
    """Each is in the role's own files; a folder may stand for what is placed in it."""
    folder = data_path("roles", role)
    texts = [path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()]
    for place in changes_data("fr")["provision"][role]["places"]:
        assert any(re.search(re.escape(place) + r"(?![\w-])", text) for text in texts), place


@pytest.mark.parametrize("role", ["base", "access", "database", "tls", "proxy", "firewall", "agent", "app"])
def test_every_file_that_a_role_places_is_announced(role: str) -> None:
    said = changes_data("fr")["provision"][role]["places"]
    places = [*said, "/etc/timezone", "/etc/locale.gen", "/var/log", "/etc/filae"]
    tasks = "\n".join(path.read_text() for path in sorted(data_path("roles", role, "tasks").glob("*.yml")))
    written = re.findall(r"path: (/[\w./@-]+)", tasks)
    alone = [each for each in written if not any(each == place or each.startswith(f"{place}/") for place in places)]
    assert alone == []


def test_the_packages_are_those_of_the_roles() -> None:
    section = next(each for each in review("fr").sections if each.id == "changes")
    text = str(section.blocks)
    for defaults in sorted(data_path("roles").glob("*/defaults/main.yml")):
        for name in (yaml.safe_load(defaults.read_text()) or {}).get(f"{defaults.parents[1].name}_packages", []):
            assert re.search(rf"[ :]{re.escape(name)}\b", text), name
