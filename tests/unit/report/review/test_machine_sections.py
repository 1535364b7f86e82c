"""What the review says of the playbooks: every role that they run is described, and none other."""

from __future__ import annotations

import re

import pytest
import yaml
from examples import AS_OF
from material.inventories import quick
from material.reviews import review

from filae_ops.inventory.model.additions import Addition
from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.document.blocks import Table, plain
from filae_ops.report.review.entries import Context
from filae_ops.report.review.machine_sections import changes_data, machines
from filae_ops.report.review.one_site import judged


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


ADDED = [
    Addition(path="/opt/falcon", purpose="EDR de l'établissement"),
    Addition(nft_table="inet f2b-table", purpose="fail2ban", owner="host"),
]
SHOWN = {
    "fr": [
        ("filae-prod", "fichier ou dossier ; /opt/falcon", "EDR de l'établissement", "DSI"),
        ("filae-prod", "table nftables ; inet f2b-table", "fail2ban", "Hébergeur"),
    ],
    "en": [
        ("filae-prod", "file or folder ; /opt/falcon", "EDR de l'établissement", "IT department"),
        ("filae-prod", "nftables table ; inet f2b-table", "fail2ban", "Host"),
    ],
}


def additions(context: Context) -> Table:
    section = machines(context)
    return next(
        block
        for block in section.blocks
        if block.type == "table" and block.caption == context.say["machines"]["additions"]
    )


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_what_others_add_to_a_machine_is_shown(lang: Lang) -> None:
    inventory = quick(data_path("inventories", "hospital-vm"))
    (host,) = inventory.hosts.values()
    machine = host.machine.model_copy(update={"additions": tuple(ADDED)})
    inventory = inventory.model_copy(update={"hosts": {host.name: host.model_copy(update={"machine": machine})}})
    tree, judgement, _ = judged(inventory, AS_OF)
    table = additions(Context(inventory, tree, judgement, lang))
    assert [tuple(map(plain, row)) for row in table.rows] == SHOWN[lang]


def test_a_machine_without_additions_says_what_that_means() -> None:
    inventory = quick(data_path("inventories", "hospital-vm"))
    tree, judgement, _ = judged(inventory, AS_OF)
    table = additions(Context(inventory, tree, judgement, "fr"))
    assert table.rows == ()
    assert "Rien n'est déclaré" in table.empty


def test_the_packages_are_those_of_the_roles() -> None:
    section = next(each for each in review("fr").sections if each.id == "changes")
    text = str(section.blocks)
    for defaults in sorted(data_path("roles").glob("*/defaults/main.yml")):
        for name in (yaml.safe_load(defaults.read_text()) or {}).get(f"{defaults.parents[1].name}_packages", []):
            assert re.search(rf"[ :]{re.escape(name)}\b", text), name
