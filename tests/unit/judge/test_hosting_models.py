"""The six hosting models: what applies, who answers, and what is to be agreed."""

from __future__ import annotations

import pytest
from material.judge_sites import DROPPED, changed, ght, hds, judged, status, verdict, vm

from filae_ops.judge.case.raci import rows
from filae_ops.judge.case.register import load_register


def site(model):
    """Return a site of this model that declares what its model needs."""
    if model in ("hds_host", "third_party"):
        return changed(hds(), hosting__model=model)
    return ght() if model == "ght" else changed(vm(), hosting__model=model)


MODELS = ["internal", "internal_infogere", "internal_vendor_admin", "ght", "hds_host", "third_party"]
OWN = ("not_applicable", "compliant", "not_applicable")
# HDS-01 (a third party is certified), HDS-02 (the hospital itself), HDS-03 (the three conditions of a group).
LAW = {
    "internal": OWN,
    "internal_infogere": OWN,
    "internal_vendor_admin": OWN,
    "ght": ("not_applicable", "not_applicable", "compliant"),
    "hds_host": ("compliant", "not_applicable", "not_applicable"),
    "third_party": ("compliant", "not_applicable", "not_applicable"),
}
# What makes each model unlawful.
UNLAWFUL = {
    "internal": ("HDS-07", "access_governance.traces_owner", "provider"),
    "internal_infogere": ("HDS-07", "access_governance.access_path_owner", "infogerant"),
    "internal_vendor_admin": ("HDS-07", "access_governance.rights_process_owner", "provider"),
    "ght": ("HDS-03", "establishment.ght.article26_agreement", None),
    "hds_host": ("HDS-01", "hosting.certificates.hds", None),
    "third_party": ("HDS-01", "hosting.certificates.hds", None),
}


@pytest.mark.parametrize("model", MODELS)
def test_what_the_law_asks_of_each_model(model):
    assert tuple(status(site(model), name) for name in ("HDS-01", "HDS-02", "HDS-03")) == LAW[model]


@pytest.mark.parametrize("model", MODELS)
def test_nothing_blocks_but_what_is_to_be_agreed_or_confirmed(model):
    worst = {each.status for each in judged(site(model)).verdicts}
    assert not worst & {"non_compliant", "gap"}


@pytest.mark.parametrize("model", MODELS)
def test_each_model_can_be_unlawful(model):
    name, field, value = UNLAWFUL[model]
    assert status(changed(site(model), **{field.replace(".", "__"): value}), name) == "non_compliant"
    assert status(changed(site(model), **{field.replace(".", "__"): DROPPED}), name) == "to_document"


@pytest.mark.parametrize("model", ["internal", "ght", "third_party"])
def test_a_model_without_duties_is_to_be_agreed_never_inferred(model):
    found = judged(site(model)).raci
    assert found
    assert all(row.expected is None and not row.deviates for row in found)
    assert all(row.letters is None for row in found if not row.activity5)
    assert [row.letters for row in found if row.activity5] == [{"dsi": "RA"}] * 4, "the inventory says who keeps them"
    assert status(site(model), "CTR-02") == "to_document"


@pytest.mark.parametrize("model", ["internal_infogere", "internal_vendor_admin", "hds_host"])
def test_a_model_with_duties_has_someone_on_each_row(model):
    assert status(site(model), "CTR-02") == "compliant"
    power = next(row for row in judged(site(model)).raci if row.id == "D-POWER")
    assert power.letters == power.expected == dict(load_register().duties["D-POWER"].models[model])
    assert (power.source, power.deviates) == ("Filaé — « chez vous » : où installer Filaé (blog de Filaé) — "
                                              "contrat d'exemple", False)  # fmt: skip


def test_a_declared_row_departs_from_the_model():
    tree = changed(vm(), responsibilities={"D-TLS": {"dsi": "RA"}, "D-FLOWS": {"provider": "R", "dsi": "A"}})
    found = {row.id: row for row in judged(tree).raci}
    assert (found["D-TLS"].letters, found["D-TLS"].deviates) == ({"dsi": "RA"}, True)
    assert not found["D-FLOWS"].deviates


def test_a_row_that_nobody_answers_for_is_a_gap():
    tree = changed(vm(), responsibilities={"D-TLS": {"provider": "R"}})
    assert status(tree, "CTR-02") == "gap"
    assert [each.field for each in verdict(tree, "CTR-02").findings if each.code == "row.orphan"] == [
        "responsibilities.D-TLS"
    ]


def test_a_row_that_the_model_leaves_empty_concerns_nobody():
    chain = next(row for row in judged(vm()).raci if row.id == "D-HDS-CHAIN")
    assert chain.letters == {}
    assert status(vm(), "CTR-02") == "compliant"


@pytest.mark.parametrize(
    ("field", "duty"),
    [
        ("rights_process_owner", "D-ACCESS-RIGHTS"),
        ("access_path_owner", "D-ACCESS-PATH"),
        ("traces_owner", "D-ACCESS-TRACES"),
        ("approval_owner", "D-ACCESS-APPROVAL"),
    ],
)
def test_the_owner_of_a_control_task_departs_from_its_row(field, duty):
    tree = changed(vm(), **{f"access_governance__{field}": "provider"})
    row = next(each for each in rows(tree, load_register().duties) if each.id == duty)
    assert row.deviates
    assert row.activity5
    assert (row.letters or {}).get("provider") == "RA"


# The trap of activity 5: part of one control task is enough, wherever it is said.
@pytest.mark.parametrize(
    ("letters", "wanted"),
    [
        ({"dsi": "RA"}, "compliant"),
        ({"dsi": "RA", "provider": "C"}, "compliant"),
        ({"dsi": "A", "provider": "R"}, "non_compliant"),
        ({"provider": "RA"}, "non_compliant"),
        ({"dsi": "A", "infogerant": "R"}, "non_compliant"),
    ],
)
def test_part_of_a_control_task_in_the_matrix_springs_the_trap(letters, wanted):
    assert status(changed(vm(), responsibilities={"D-ACCESS-PATH": letters}), "HDS-07") == wanted


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("activities", ["administration", "physical_site"], "compliant"),
        ("activities", ["physical_site", "hardware"], "non_compliant"),
        ("activities", DROPPED, "to_document"),
        ("to", "2026-11-20", "gap"),
        ("to", DROPPED, "to_document"),
    ],
)
def test_a_host_may_hold_a_control_task_while_it_is_certified_for_it(field, value, wanted):
    tree = changed(hds(), access_governance__access_path_owner="host")
    assert status(changed(tree, **{f"hosting__certificates__hds__{field}": value}), "HDS-07") == wanted


OUTSOURCER = {"referential": 2, "activities": ["administration"], "to": "2027-01-01", "copy": "evidence/hds.pdf"}


@pytest.mark.parametrize(
    ("certificate", "wanted"),
    [
        (DROPPED, "non_compliant"),
        (None, "non_compliant"),
        (OUTSOURCER, "compliant"),
        (OUTSOURCER | {"copy": DROPPED}, "to_document"),
        (OUTSOURCER | {"to": "2026-11-20"}, "gap"),
        (OUTSOURCER | {"to": "2026-11-21"}, "compliant"),
        (OUTSOURCER | {"activities": ["backup"]}, "non_compliant"),
        (OUTSOURCER | {"referential": 1}, "non_compliant"),
        (OUTSOURCER | {"referential": DROPPED}, "to_document"),
        (OUTSOURCER | {"from": "2026-11-22"}, "non_compliant"),
    ],
)
def test_an_outsourcer_may_hold_a_control_task_with_a_certificate_of_its_own(certificate, wanted):
    tree = changed(site("internal_infogere"), access_governance__traces_owner="infogerant")
    if isinstance(certificate, dict):
        certificate = {key: value for key, value in certificate.items() if value is not DROPPED}
    assert status(changed(tree, hosting__certificates__hds=certificate), "HDS-07") == wanted
    elsewhere = changed(vm(), access_governance__traces_owner="infogerant")
    assert status(changed(elsewhere, hosting__certificates__hds=certificate), "HDS-07") == "non_compliant"


def test_a_hospital_of_the_group_that_holds_a_control_task_is_to_confirm():
    assert status(changed(ght(), access_governance__traces_owner="host"), "HDS-07") == "to_confirm"
    shared = changed(ght(), responsibilities={"D-ACCESS-PATH": {"dsi": "A", "host": "R"}})
    assert status(shared, "HDS-07") == "to_confirm"


def test_full_latitude_of_the_provider_is_lawful_when_the_dsi_keeps_the_four_tasks():
    provider = {row.id for row in judged(vm()).raci if "R" in (row.letters or {}).get("provider", "")}
    assert {"D-OS-INSTALL", "D-OS-PATCH", "D-DEPS", "D-APP"} <= provider
    assert status(vm(), "HDS-07") == "compliant"


def test_what_is_entrusted_beyond_the_machine_must_be_certified_too():
    iaas = ["physical_site", "hardware", "virtual_infra", "backup"]
    tree = changed(hds(), hosting__certificates__hds__activities=iaas)
    assert status(tree, "HDS-06") == "compliant"
    assert status(changed(tree, access_governance__traces_owner="host"), "HDS-06") == "non_compliant"
    assert status(changed(tree, hosting__model="third_party"), "HDS-06") == "compliant"
    agreed = changed(tree, hosting__model="third_party", hosting__certificates__hds__activities=iaas[:3])
    assert status(agreed, "HDS-06") == "to_document"


@pytest.mark.parametrize(("host", "service", "wanted"), [
    ("clever-cloud", "clever-cloud-paas", "non_compliant"),
    ("s3ns", "s3ns-premi3ns", "compliant"),
    ("outscale", "outscale-iaas-cod", "compliant"),
])  # fmt: skip
def test_a_platform_is_entrusted_only_where_no_machine_is_to_be_had(host, service, wanted):
    iaas = ["physical_site", "hardware", "virtual_infra", "backup"]
    tree = changed(hds(), hosting__host_id=host, hosting__service_id=service)
    assert status(changed(tree, hosting__certificates__hds__activities=iaas), "HDS-06") == wanted


def test_a_certified_subcontractor_covers_what_the_host_is_not_certified_for():
    tree = changed(hds(), hosting__certificates__hds__activities=["hardware", "virtual_infra", "backup"])
    assert status(tree, "HDS-06") == "non_compliant"
    link = {"name": "Salle", "hds_activities": ["physical_site"], "certificate": "evidence/salle.pdf"}
    assert status(changed(tree, hosting__subhosts=[link]), "HDS-06") == "compliant"
