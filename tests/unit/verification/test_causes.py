"""Each cause that a host check can see, on invented facts: its value is named, the right party acts, the step cures."""

from __future__ import annotations

import base64
import importlib.util
import json
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from material.causes.access import ACCESS, OLD, keys, people, sshd
from material.causes.application import APPLICATION, proof
from material.causes.cause import Cause, agent, inventory, preflight, unit
from material.causes.database import DATABASE
from material.causes.dsi import DSI
from material.causes.files import FILES
from material.causes.front import FRONT, certificate, pem
from material.causes.network import NETWORK
from material.causes.services import SERVICES
from material.causes.system import SYSTEM
from material.host_checks import everything_said

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.paths import data_path
from filae_ops.report.document.check_words import wording
from filae_ops.verification.check import Broken, Facts, NotRun, Target
from filae_ops.verification.placed_by_roles import Placement

CAUSES = [*ACCESS, *APPLICATION, *DATABASE, *DSI, *FILES, *NETWORK, *SERVICES, *SYSTEM, *FRONT]


@cache
def checks() -> dict[str, Any]:
    """Return the host checks by their ids, loaded without pytest's run of them."""
    found = {}
    for path in data_path("tests", "host").glob("test_*.py"):
        spec = importlib.util.spec_from_file_location(f"host_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                (mark,) = function.pytestmark
                found[mark.kwargs["id"]] = function
    return found


PLACED = {"/usr/local/sbin/filaectl": Placement("file", "root", "root", "0755", "1" * 64, None, "agent")}


def target(cause: Cause, directory: Any) -> Target:
    content = inventory().model_dump(mode="json", by_alias=True)
    content |= {name: value for name, value in cause.changes.items() if name in content}
    content["directory"] = str(directory)
    for machine in content["hosts"].values():
        machine["machine"] |= {"hypervisor": "kvm", "guest_tools": True}
    if "tls" in cause.changes:
        (directory / "tls").mkdir()
        offer = cause.outside["web"]["value"]["tls1.2"]["value"]["certificate"]
        own = certificate("declared.example") if "another" in cause.changes else x509.load_der_x509_certificate(
            base64.b64decode(offer)
        )  # fmt: skip
        (directory / "tls/cert.pem").write_text(pem(own))
    made = Inventory.model_validate_json(json.dumps(content))
    facts = Facts({name: {"value": value} for name, value in cause.facts.items()})
    on = Target(made, next(iter(made.hosts.values())), facts, cause.outside, PLACED)
    service = SimpleNamespace(is_enabled=cause.enabled)
    on.__dict__["host"] = SimpleNamespace(file=lambda _: cause.key_file, service=lambda _: service)
    return on


def outcome(check: str, *given: Any) -> Broken | NotRun | None:
    """Return what came of a check; a skip must not be taken for this test's own."""
    try:
        checks()[check](*given)
    except (Broken, NotRun) as error:
        return error
    return None


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.check}-{cause.code}")
def test_a_cause_is_told_with_its_value_and_who_cures_it_how(cause: Cause, tmp_path: Any) -> None:
    on = target(cause, tmp_path)
    flows = [flow for flow in on.inventory.flows if flow.id == cause.flow]
    told = outcome(cause.check, on, *flows)
    assert isinstance(told, Broken), told
    assert told.code == cause.code
    assert json.loads(json.dumps(told.values)) == told.values
    assert {wording(cause.check, told.code, told.values, lang).owner for lang in ("en", "fr")} == {cause.owner}
    said = wording(cause.check, told.code, told.values, "en")
    assert [text for text in cause.shown if text not in f"{said.message}\n{said.next}"] == [], said


NGINX, POSTGRESQL = (
    unit("nginx.service", ActiveState="inactive"),
    unit("postgresql@17-main.service", ActiveState="failed"),
)
CONSEQUENCES = [
    Cause("app-page", "no_nginx", "", (), proof("page", "refused") | NGINX),
    Cause("web-hidden", "no_nginx", "", (), NGINX, {"web": {"value": {"hidden": {"error": "refused"}}}}),
    Cause("app-schema", "no_postgresql", "", (), proof("schema", "no such file") | POSTGRESQL),
    Cause("app-attachments", "no_postgresql", "", (), proof("files_check", "no connection") | POSTGRESQL),
    Cause(
        "web-hidden",
        "in_maintenance",
        "",
        (),
        agent(maintenance={"on": True}),
        {"web": {"value": {"hidden": {"value": {"/.env": 503}}}}},
    ),
]


@pytest.mark.parametrize("cause", CONSEQUENCES, ids=lambda cause: f"{cause.check}-{cause.code}")
def test_what_follows_from_a_service_that_does_not_run_accuses_nobody_else(cause: Cause, tmp_path: Any) -> None:
    told = outcome(cause.check, target(cause, tmp_path))
    assert isinstance(told, NotRun), told
    assert told.code == cause.code


def test_each_cause_that_a_check_can_tell_is_tried() -> None:
    """Those of PostgreSQL and of what is accounted for are tried beside this file."""
    tried = {(cause.check, cause.code) for cause in CAUSES}
    told = {
        (said.check, said.code)
        for said in everything_said()
        if said.how == "broken" and not said.place.startswith(("test_accounted.py:", "test_database.py:"))
    }
    assert told - tried == set()


@pytest.mark.parametrize(
    ("check", "facts"),
    [
        ("access-expired", keys(filae=[OLD])),
        ("access-keys", keys()),
        ("access-accounts", people()),
        ("ssh-root", sshd({}, {})),
        ("apt-mirror", preflight()),
    ],
)
def test_what_is_another_check_s_matter_is_not_told_twice(check: str, facts: dict[str, Any], tmp_path: Any) -> None:
    assert outcome(check, target(Cause(check, "", "", (), facts), tmp_path)) is None
