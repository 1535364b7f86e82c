"""The first draft: nothing silently valid, and valid once filled in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import yaml
from examples import EXAMPLES, files
from material.inventories import DEMO, HOST_KEY, KEY, UNTIL, filled, quick

from filae_ops.agent.system.config import TIMINGS
from filae_ops.errors import OpsError
from filae_ops.inventory.model.application import Timings
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.types.choices import MODELS, TO_FILL
from filae_ops.inventory.writing.answers import Answers, Keyholder, MachineAnswers
from filae_ops.inventory.writing.scaffold import asked_later, remaining, render, write
from filae_ops.paths import data_path
from filae_ops.vocabulary import HostingModel

MODELS_KNOWN = get_args(HostingModel)


@pytest.mark.parametrize("model", MODELS_KNOWN)
@pytest.mark.parametrize("environment", ["test", "production"])
def test_every_model_loads_once_filled(tmp_path, model, environment):
    path = tmp_path / "site"
    write(path, filled(model, environment))
    if environment == "production":
        (path / "tls").mkdir()
        for name in ("certificate", "chain", "root"):
            (path / f"tls/{name}.pem").write_text("-----BEGIN CERTIFICATE-----\n")
        assert (path / "secrets.yml").stat().st_mode & 0o777 == 0o600
        (path / "secrets.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n")
    inventory = quick(path)
    assert inventory.hosting.model == model
    assert inventory.site.establishment == "CH de l'Essai : « annexe » #2"
    assert inventory.app.settings == {"APP_LOCALE": "no", "APP_TITLE": 'a "b": c # d'}
    assert {flow.id: flow.peer for flow in inventory.flows}["ntp"] == ("192.0.2.2",)


def test_a_filled_draft_is_what_ansible_reads(tmp_path):
    write(tmp_path / "site", filled())
    assert load(tmp_path / "site") == quick(tmp_path / "site")


def test_the_example_of_additions_loads_once_uncommented(tmp_path):
    write(tmp_path / "site", filled())
    hosts = tmp_path / "site" / "hosts.yml"
    before, mark, after = hosts.read_text().partition("        # additions:\n")
    assert mark, "the draft shows how others' additions are declared"
    hosts.write_text(before + (mark + after).replace("        # ", "        "))
    (host,) = quick(tmp_path / "site").hosts.values()
    assert [(each.path, each.purpose) for each in host.machine.additions] == [("/opt/agent", "agent de supervision")]


def test_a_lab_machine(tmp_path):
    machine = MachineAnswers(
        "lab-1", "127.0.0.1", HOST_KEY, 2222, "root", "/run/lab 1/id", hypervisor="none", guest_tools=False
    )
    answers = replace(
        filled(),
        machines=(machine,),
        mail=None,
        mirror_url=None,
        outbound_internet="proxy",
        proxy="http://192.0.2.1:8",
        timings={"soak": 3},
    )
    write(tmp_path / "lab", answers)
    inventory = quick(tmp_path / "lab")
    assert inventory.app.timings.soak == 3
    host = inventory.hosts["lab-1"]
    assert (host.ansible_port, host.ansible_user, host.ansible_ssh_private_key_file) == (
        2222,
        "root",
        "/run/lab 1/id",
    )
    assert next(flow for flow in inventory.flows if flow.id == "proxy").port == (8,)


@pytest.mark.parametrize("model", MODELS_KNOWN)
def test_what_is_needed_is_refused_until_filled(tmp_path, model):
    answers = Answers(name="essai", hosting=model)
    write(tmp_path / "site", answers)
    with pytest.raises(OpsError) as caught:
        quick(tmp_path / "site")
    assert {problem.what for problem in caught.value.problems} == {"still to fill in"}
    listed = [line for line in remaining(render(answers)) if not line.startswith("secrets.yml")]
    found = [problem.where.removeprefix(f"{tmp_path}/site/") for problem in caught.value.problems]
    assert sorted(line.split(": ")[0] for line in listed) == sorted(place.rpartition(":")[0] for place in found)
    assert asked_later(render(answers)) > 100


@pytest.mark.parametrize("model", MODELS_KNOWN)
def test_only_the_fields_that_the_model_needs(model):
    text = render(Answers(name="essai", hosting=model))[Path("group_vars/all/hosting.yml")]
    assert ("host_id" in text) is (model in ("hds_host", "third_party"))
    assert MODELS[model] in text


def test_every_file_is_commented_and_names_its_schema():
    for path, text in render(filled()).items():
        if path.name == "secrets.yml":
            continue
        first, second = text.splitlines()[:2]
        assert first.startswith("# yaml-language-server: $schema="), path
        assert second.startswith("# "), path


def test_secrets_only_when_needed():
    assert Path("secrets.yml") not in render(filled(environment="demo"))
    assert "ansible-vault encrypt" in render(filled(environment="production"))[Path("secrets.yml")]


@pytest.mark.parametrize("content", ["file", "directory"])
def test_a_path_in_use_is_left_alone(tmp_path, content):
    path = tmp_path / "site"
    path.write_text("mine") if content == "file" else path.mkdir()
    if content == "directory":
        (path / "mine").touch()
    with pytest.raises(OpsError, match="is not empty: nothing was written"):
        write(path, filled())
    assert sorted(tmp_path.iterdir()) == [path]


def test_an_empty_directory_is_used(tmp_path):
    (tmp_path / "site").mkdir()
    write(tmp_path / "site", filled())
    assert quick(tmp_path / "site").site.name == "essai"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


BAD = [
    ({"name": "CHV production"}, "name"),
    ({"hosting": "cloud"}, "hosting: 'cloud'"),
    ({"environment": "prod"}, "environment: 'prod'"),
    ({"public_name": "192.0.2.1"}, "public name"),
    ({"operators": (Keyholder("root", KEY, UNTIL),)}, "operator: 'root'"),
    ({"operators": (Keyholder("amartin", "ssh-rsa AAAA", UNTIL),)}, "operator amartin: key"),
    ({"machines": (MachineAnswers(address="nulle part"),)}, "address"),
    ({"machines": (MachineAnswers(host_key="x"),)}, "host key"),
    ({"machines": (MachineAnswers(name="../x"),)}, "machine"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[row[1] for row in BAD])
def test_a_bad_answer_writes_nothing(tmp_path, change, said):
    with pytest.raises(OpsError, match=said) as caught:
        write(tmp_path / "site", replace(filled(), **change))
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_example_has_nothing_left_to_fill_in_and_no_private_key():
    texts = [path.read_text() for path in DEMO.rglob("*.yml")]
    assert TO_FILL not in "".join(texts)
    assert "PRIVATE KEY" not in "".join(texts)
    inventory = load(DEMO)
    assert inventory.site.environment == "demo"
    assert inventory.access_governance.traces_owner == "dsi"


def test_the_agents_waits_have_the_same_names_everywhere():
    specification = yaml.safe_load(data_path("roles", "agent", "meta", "argument_specs.yml").read_text())
    options = specification["argument_specs"]["main"]["options"]["agent_timings"]["options"]
    assert set(TIMINGS) == set(Timings.model_fields) == set(options)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_written_by_the_templates_of_init(name):
    directory, expected = data_path("inventories", name), files(EXAMPLES[name])
    found = {path: (directory / path).read_text() for path in expected if (directory / path).is_file()}
    assert found == expected, "run .venv/bin/python tests/examples.py"
