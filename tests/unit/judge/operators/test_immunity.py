"""Extra-European law: the decision table, for the exact service of each host of the register."""

from __future__ import annotations

import datetime as dt

import pytest
from material.judge_sites import DAY, DROPPED, Tree, changed, ght, hds, judged, status, vm

from filae_ops.judge.case.register import load_register

DAY_2021 = dt.date(2021, 9, 28)


def at(host: str, service: str, *, claim: bool = True) -> Tree:
    """Return a site at this service; what is claimed is what the register has of it."""
    known = next(each for each in load_register().hosts[host].services if each.id == service).secnumcloud
    said = {
        "service": known.service, "version": known.version or "3.2", "decision": known.decision or "1",
        "from": known.start, "to": str(known.to) if known.to else "2028-01-01", "attestation": "evidence/snc.pdf",
    }  # fmt: skip
    tree = changed(hds(), hosting__host_id=host, hosting__service_id=service, hosting__extra_eu={})
    return changed(tree, hosting__certificates__snc=said if claim and known.service else None)


# As of 21 November 2026: what holds for a service whose own qualification is claimed, with its attestation.
TODAY = {
    "outscale-iaas-cod": "immune",
    "outscale-public": "not_established",
    "ovh-hpc-vmware-snc": "not_established",
    "ovh-bare-metal-pod": "immune",
    "ovh-snc-cloud-platform": "immune",
    "ovh-public-cloud": "not_established",
    "oodrive-work": "not_established",
    "ct-iaas": "immune",
    "ct-paas-openshift": "immune",
    "orange-cloud-avenue-secnum": "immune",
    "s3ns-premi3ns": "immune",
    "bleu-cloud": "not_established",
    "cegnumcloud-secured": "not_established",
    "worldline-secured": "not_established",
    "whaller-donjon": "not_established",
    "wimi-saas": "not_established",
    "index-education-saas": "not_established",
    "scaleway-iaas": "not_established",
    "its-cloud": "not_established",
    "clever-cloud-paas": "not_established",
    "scalingo-secnum": "not_established",
    "scalingo-osc-fr1": "not_established",
    "aws-ec2-paris": "not_immune",
    "azure-vm": "not_immune",
    "gcp-ce": "not_immune",
    "other-service": "not_established",
}
COMPANIES = [
    (host.id, service.id)
    for host in load_register().hosts.values()
    if host.id not in ("hospital-internal", "ght-member")
    for service in host.services
]


@pytest.mark.parametrize(("host", "service"), COMPANIES)
def test_each_service_of_the_register(host, service):
    found = judged(at(host, service)).immunity.result
    if service == "numspot-platform":  # its version was deduced from its date: immune only once it is confirmed
        assert found in ("immune", "not_established")
    else:
        assert found == TODAY[service]


@pytest.mark.parametrize(("host", "service"), COMPANIES)
def test_nothing_is_immune_without_a_claim_and_its_attestation(host, service):
    assert judged(at(host, service, claim=False)).immunity.result != "immune"
    unclaimed = changed(at(host, service), hosting__certificates__snc=DROPPED)
    assert judged(unclaimed).immunity.result != "immune"
    assert judged(at(host, service), problems={"evidence/snc.pdf": "absent"}).immunity.result != "immune"


@pytest.mark.parametrize(
    ("host", "service"),
    [("oodrive", "oodrive-work"), ("outscale", "outscale-iaas-cod"), ("ovhcloud", "ovh-hpc-vmware-snc")],
)
def test_the_three_hosts_of_2021_were_not_immune_by_a_referential_of_2022(host, service):
    tree = at(host, service)
    assert judged(tree, DAY_2021).immunity.result == "not_established"
    assert status(tree, "EXT-01", DAY_2021) in ("non_compliant", "to_confirm")


@pytest.mark.parametrize(
    ("day", "result", "wanted"),
    [
        ("2023-11-29", "not_established", "non_compliant"),
        ("2023-11-30", "immune", "compliant"),
        ("2026-11-21", "immune", "compliant"),
        ("2026-11-30", "immune", "compliant"),
        ("2026-12-01", "not_established", "gap"),
    ],
)
def test_a_qualification_holds_from_its_first_day_to_its_last(day, result, wanted):
    tree = at("outscale", "outscale-iaas-cod")
    on = dt.date.fromisoformat(day)
    assert judged(tree, on).immunity.result == result
    assert status(tree, "EXT-01", on) == wanted


def test_a_renewal_that_the_register_does_not_know_is_to_confirm():
    tree = changed(at("outscale", "outscale-iaas-cod"), hosting__certificates__snc__to="2029-11-30")
    assert judged(tree, dt.date(2026, 12, 1)).immunity.result == "not_established"
    assert status(tree, "EXT-01", dt.date(2026, 12, 1)) == "to_confirm"


def test_sources_that_disagree_on_a_version_establish_nothing():
    tree = at("ovhcloud", "ovh-hpc-vmware-snc")
    assert judged(tree).immunity.result == "not_established"
    assert status(tree, "SNC-05") == status(tree, "EXT-01") == "to_confirm"


@pytest.mark.parametrize("host", ["aws-europe", "azure-fr", "google-cloud"])
def test_a_parent_in_the_united_states_is_known_from_the_register(host):
    service = load_register().hosts[host].services[0].id
    tree = at(host, service)
    found = judged(tree).immunity
    assert (found.result, found.step) == ("not_immune", 4)
    assert status(tree, "EXT-02") == "gap"
    assert status(tree, "EXT-04") == "to_document"
    assert status(changed(tree, hosting__extra_eu__declared_laws=["CLOUD Act", "FISA 702"]), "EXT-04") == "compliant"
    assert status(changed(tree, hosting__extra_eu__declared_laws=[]), "HDS-12") == "non_compliant"


@pytest.mark.parametrize(
    ("field", "value", "step", "requirement"),
    [
        ("hq_country", "US", 3, "EXT-02"),
        ("hq_country", "CH", 3, "EXT-02"),
        ("parent_country", "CA", 4, "EXT-02"),
        ("non_eu_individual_pct", 24.1, 4, "EXT-02"),
        ("non_eu_collective_pct", 40, 4, "EXT-02"),
        ("veto_or_board", True, 4, "EXT-02"),
        ("non_eu_subcontractor_access", True, 5, "EXT-03"),
    ],
)
def test_each_step_of_the_table_concludes(field, value, step, requirement):
    tree = changed(at("clever-cloud", "clever-cloud-paas"), **{f"hosting__extra_eu__{field}": value})
    found = judged(tree).immunity
    assert (found.result, found.step) == ("not_immune", step)
    assert status(tree, requirement) == "gap"


@pytest.mark.parametrize(("field", "value"), [("non_eu_individual_pct", 24), ("non_eu_collective_pct", 39)])
def test_the_thresholds_themselves_are_allowed(field, value):
    tree = changed(at("clever-cloud", "clever-cloud-paas"), **{f"hosting__extra_eu__{field}": value})
    assert judged(tree).immunity.result == "not_established"


def test_a_link_of_the_chain_outside_the_union_decides():
    link = {"name": "Sub", "country": "US", "hds_activities": ["hardware"], "certificate": "evidence/sub.pdf"}
    tree = changed(at("clever-cloud", "clever-cloud-paas"), hosting__subhosts=[link])
    assert judged(tree).immunity.result == "not_immune"
    assert status(tree, "EXT-03") == "gap"


@pytest.mark.parametrize("tree", [vm(), ght()])
def test_the_hospital_itself_is_out_of_the_question(tree):
    assert judged(tree).immunity.result == "not_applicable"
    assert status(tree, "EXT-01") == "not_applicable"


def test_no_claim_is_no_fault_of_a_hospital():
    tree = changed(hds(), hosting__certificates__snc=None)
    assert status(tree, "EXT-01") == "not_applicable"
    assert status(changed(tree, hosting__certificates__snc=DROPPED), "EXT-01") == "to_document"
    assert judged(tree, DAY).immunity.result == "not_established"


def test_a_service_that_stands_on_another_must_declare_it():
    tree = changed(at("scalingo", "scalingo-secnum"), hosting__subhosts=[])
    assert status(tree, "HDS-16") == "non_compliant"
