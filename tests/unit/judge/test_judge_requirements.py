"""Each blocking, major or claimed requirement whose rule is confirmed: it holds, it fails, nothing is declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from judge_material import DROPPED, Tree, changed, ght, hds, judged, machine, status, verdict, vm

from filae_ops.judge.register import load_register

SNC = "hosting.certificates.snc"
HDS = "hosting.certificates.hds"
DEROGATION = {"basis": "SREN, art. 31", "granted_on": "2026-01-10", "until": "2027-06-30", "signed_by": "Le ministre"}


def outside() -> Tree:
    """Return a host that is entered from the United States, with written safeguards."""
    said = {"file": "evidence/garanties.pdf"}
    return changed(hds(), hosting__remote_access_countries=["US"], hosting__remote_access_guarantees=said)


def chain() -> Tree:
    link = {"name": "Salle", "country": "FR", "hds_activities": ["physical_site"], "certificate": "evidence/salle.pdf"}
    return changed(hds(), hosting__subhosts=[link])


def offsite() -> Tree:
    copy = {"place": "Lyon", "interval_days": 7, "provider_id": "clever-cloud", "hds_activities": ["backup"]}
    return changed(vm(), backup__offsite=copy)


def state() -> Tree:
    return changed(hds(), establishment__kind="state_operator")


def derogation() -> Tree:
    return changed(state(), hosting__derogation=DEROGATION)


# Requirement, the site on which it holds, the field, what does not do there, and what that makes of it.
FAILS: list[tuple[str, Any, str, Any, str]] = [
    ("HDS-01", hds, HDS, None, "non_compliant"),
    ("HDS-01", hds, f"{HDS}.copy", None, "non_compliant"),
    ("HDS-01", hds, f"{HDS}.number", "FR094504", "to_confirm"),
    ("HDS-01", hds, "hosting.host_id", "clever-cloud", "to_confirm"),
    ("HDS-03", ght, "establishment.ght.convention_delegates_hosting", None, "non_compliant"),
    ("HDS-03", ght, "establishment.ght.article26_agreement", "2027-01-01", "non_compliant"),
    ("HDS-03", ght, "establishment.ght.security_measures", None, "non_compliant"),
    ("HDS-04", hds, f"{HDS}.referential", 1, "non_compliant"),
    ("HDS-05", hds, f"{HDS}.to", "2026-11-20", "gap"),
    ("HDS-05", hds, f"{HDS}.from", "2026-11-22", "non_compliant"),
    ("HDS-05", hds, f"{HDS}.surveillance_last", "2025-01-01", "gap"),
    ("HDS-05", hds, f"{HDS}.to", "2036-08-27", "to_confirm"),
    ("HDS-06", hds, f"{HDS}.activities", ["physical_site", "hardware"], "non_compliant"),
    ("HDS-06", hds, f"{HDS}.activities", ["physical_site", "hardware", "virtual_infra"], "non_compliant"),
    ("HDS-07", vm, "access_governance.rights_process_owner", "provider", "non_compliant"),
    ("HDS-07", vm, "access_governance.access_path_owner", "infogerant", "non_compliant"),
    ("HDS-07", vm, "access_governance.traces_owner", "provider", "non_compliant"),
    ("HDS-07", vm, "access_governance.approval_owner", "provider", "non_compliant"),
    ("HDS-07", vm, "access_governance.approval_owner", "business_owner", "to_confirm"),
    ("HDS-10", hds, "hosting.storage_countries", ["FR", "US"], "non_compliant"),
    ("HDS-10", hds, "hosting.storage_countries", [], "non_compliant"),
    ("HDS-11", outside, "hosting.remote_access_guarantees", None, "non_compliant"),
    ("HDS-12", hds, "hosting.extra_eu.residual_risks", None, "non_compliant"),
    ("HDS-12", hds, "contracts.hosting.clauses", ["perimeter"], "non_compliant"),
    ("HDS-12", hds, "hosting.extra_eu.parent_country", "US", "non_compliant"),
    ("HDS-16", chain, "hosting.subhosts.0.certificate", None, "non_compliant"),
    ("HDS-20", hds, "contracts.hosting.clauses", ["perimeter"], "non_compliant"),
    ("HDS-20", hds, "contracts.hosting", None, "non_compliant"),
    ("HDS-21", offsite, "backup.offsite.hds_activities", ["hardware"], "non_compliant"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "scaleway", "non_compliant"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "orange-business", "to_confirm"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "nobody-knows", "to_confirm"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "ovhcloud", "to_confirm"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "other-hds-host", "to_confirm"),
    ("HDS-21", offsite, "backup.offsite.provider_id", "ght-member", "to_confirm"),
    ("SNC-01", state, SNC, None, "non_compliant"),
    ("SNC-01", state, "data.sensitivity_assessment", None, "non_compliant"),
    ("SNC-03", hds, f"{SNC}.service", "Cloud public", "non_compliant"),
    ("SNC-03", hds, f"{SNC}.decision", "9999", "non_compliant"),
    ("SNC-03", hds, "hosting.service_id", "outscale-public", "non_compliant"),
    ("SNC-04", hds, f"{SNC}.to", "2026-11-20", "gap"),
    ("SNC-04", hds, f"{SNC}.to", "2029-11-30", "to_confirm"),
    ("SNC-05", hds, f"{SNC}.version", "3.1", "non_compliant"),
    ("SNC-07", hds, HDS, None, "non_compliant"),
    ("SNC-08", hds, "hosting.storage_countries", ["FR", "NO"], "non_compliant"),
    ("SNC-12", derogation, "hosting.derogation.signed_by", None, "non_compliant"),
    ("SNC-12", derogation, "hosting.derogation.until", "2026-11-20", "gap"),
    ("SNC-12", derogation, "hosting.derogation.until", None, "non_compliant"),
    ("SNC-12", derogation, "hosting.derogation.until", "2027-12-31", "non_compliant"),
    ("SNC-12", derogation, "hosting.derogation.basis", "circulaire 6282-SG", "non_compliant"),
    ("SNC-12", derogation, "hosting.derogation.basis", "décision du directeur", "to_confirm"),
    ("SNC-12", derogation, "establishment.kind", "eps", "to_confirm"),
    ("SNC-12", derogation, "hosting.derogation.granted_on", "2026-12-01", "non_compliant"),
    ("EXT-01", hds, f"{SNC}.version", "3.1", "non_compliant"),
    ("EXT-01", hds, f"{SNC}.to", "2026-11-20", "gap"),
    ("EXT-01", hds, "hosting.service_id", "outscale-public", "non_compliant"),
    ("OS-01", vm, "machines.0.os.version", "12", "gap"),
    ("OS-01", vm, "machines.0.os.version", "11", "non_compliant"),
    ("OS-01", vm, "machines.0.os.version", "99", "to_confirm"),
    ("BCK-01", vm, "backup.kinds", ["files"], "non_compliant"),
    ("BCK-01", vm, "backup.interval_hours", 25, "non_compliant"),
    ("BCK-02", vm, "backup.last_restore_test", None, "non_compliant"),
    ("BCK-02", vm, "backup.last_restore_test.date", "2025-11-20", "gap"),
    ("BCK-02", vm, "backup.last_restore_test.date", "2026-11-22", "non_compliant"),
    ("NET-01", vm, "network.inbound_internet", False, "non_compliant"),
    ("NET-02", vm, "network.outbound_internet", "none", "non_compliant"),
    ("NET-02", vm, "flows", [{"id": "https", "direction": "in", "proto": "tcp", "port": [443]}], "non_compliant"),
    ("INC-01", vm, "incidents.cert_sante_procedure", None, "non_compliant"),
    ("INC-01", vm, "incidents.contacts", None, "non_compliant"),
    ("SW-01", vm, "software.0.version", "14", "gap"),
    ("SW-02", vm, "software.1.version", "3.2", "gap"),
    ("PATCH-01", vm, "patching.security_interval_days", 8, "gap"),
    ("NET-09", vm, "flows.0.port", [443, 5432], "gap"),
    ("ADM-01", vm, "admin.access_path", "vpn_tls", "gap"),
    ("ADM-01", vm, "admin.on_demand", False, "gap"),
    ("ADM-02", vm, "admin.access_path", "direct_ssh", "gap"),
    ("LOG-01", vm, "logging.health_access_traces", False, "gap"),
]
MISSING: list[tuple[str, Any, str]] = [
    *dict.fromkeys((name, site, field) for name, site, field, _, _ in FAILS),
    ("HDS-05", hds, f"{HDS}.surveillance_last"),
    ("HDS-12", hds, "hosting.extra_eu.declared_laws"),
    ("HDS-16", hds, "hosting.subhosts"),
    ("HDS-16", chain, "hosting.subhosts.0.hds_activities"),
    ("HDS-21", vm, "backup.offsite"),
    ("HDS-21", offsite, "backup.offsite.provider_id"),
    ("SNC-01", hds, "establishment.kind"),
    ("SNC-12", derogation, "hosting.derogation.basis"),
    ("EXT-01", hds, SNC),
    ("EXT-01", hds, f"{SNC}.attestation"),
    ("EXT-01", hds, "hosting.host_id"),
    ("BCK-02", vm, "backup.last_restore_test.sheet"),
]
# Fields whose absence says something of its own: left out, the requirement is still held by another evidence.
NOT_ASKED = {("HDS-05", f"{HDS}.from")}


@pytest.mark.parametrize(("name", "site"), list(dict.fromkeys((name, site) for name, site, *_ in FAILS)))
def test_it_holds_where_all_is_declared(name, site):
    assert status(site(), name) == "compliant"


@pytest.mark.parametrize(("name", "site", "field", "value", "wanted"), FAILS)
def test_it_fails_on_a_contrary_value(name, site, field, value, wanted):
    tree = changed(site(), **{field.replace(".", "__"): value})
    assert status(tree, name) == wanted


@pytest.mark.parametrize(("name", "site", "field"), [row for row in MISSING if (row[0], row[2]) not in NOT_ASKED])
def test_nothing_declared_is_to_document(name, site, field):
    tree = changed(site(), **{field.replace(".", "__"): DROPPED})
    assert status(tree, name) == "to_document"


def test_the_table_has_every_confirmed_requirement_that_blocks():
    wanted = {
        each.id
        for each in load_register().requirements.values()
        if each.severity in ("block", "major", "claim_invalid") and each.declared and each.confidence != "from-memory"
    }
    assert wanted == {name for name, *_ in FAILS}


@pytest.mark.parametrize("name", ["RGPD-01", "RGPD-05", "HDS-23", "CTR-08"])
def test_a_rule_known_from_memory_is_at_best_to_confirm(name):
    assert status(hds(), name) == "to_confirm"


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("documents.art28", None, "non_compliant"),
        ("documents.art28", DROPPED, "to_document"),
    ],
)
def test_a_rule_known_from_memory_can_still_fail(field, value, wanted):
    assert status(changed(vm(), **{field.replace(".", "__"): value}), "RGPD-01") == wanted


@pytest.mark.parametrize(
    ("guarantees", "wanted"),
    [({"file": "evidence/garanties.pdf"}, "to_confirm"), (DROPPED, "to_document"), (None, "non_compliant")],
)
def test_a_remote_access_from_a_third_country_rests_on_guarantees(guarantees, wanted):
    assert status(changed(outside(), hosting__remote_access_guarantees=guarantees), "RGPD-05") == wanted


@pytest.mark.parametrize("name", ["RGPD-07", "HDS-24"])
@pytest.mark.parametrize("value", [DROPPED, None, {"file": "evidence/dpo.pdf"}])
def test_what_only_a_lawyer_can_answer_stays_a_question(name, value):
    tree = changed(vm(), documents__aipd=value, data__sensitivity_assessment=value)
    assert status(tree, name) == "legal_question"


def test_a_question_has_no_object_without_judicial_data():
    assert status(changed(vm(), data__judicial=False), "RGPD-07") == "not_applicable"
    assert status(changed(vm(), data__judicial=DROPPED), "RGPD-07") == "legal_question"


@pytest.mark.parametrize(
    ("day", "wanted"),
    [("2026-05-15", "not_applicable"), ("2026-05-16", "non_compliant"), ("2026-11-21", "non_compliant")],
)
def test_a_rule_does_not_bind_before_its_day(day, wanted):
    tree = changed(hds(), **{f"{HDS}.referential".replace(".", "__"): 1})
    assert status(tree, "HDS-04", dt.date.fromisoformat(day)) == wanted


@pytest.mark.parametrize("name", ["DSI-02", "OPS-01", "PATCH-03", "SSH-01", "TLS-01"])
def test_what_only_the_machine_can_tell_is_to_confirm(name):
    assert status(vm(), name) == "to_confirm"


@pytest.mark.parametrize(
    ("versions", "wanted"), [(["13", "13"], "compliant"), (["13", "12"], "gap"), (["12", "11"], "non_compliant")]
)
def test_each_machine_is_judged_and_the_worst_decides(versions, wanted):
    machines = [machine(f"filae-{number}", version) for number, version in enumerate(versions)]
    found = verdict(changed(vm(), machines=machines), "OS-01")
    assert found.status == wanted
    assert [each.field for each in found.findings] == ["machines[filae-0].os.version", "machines[filae-1].os.version"]


def test_a_condition_is_that_of_each_machine():
    other = changed(machine("filae-2"), os={"id": "rocky", "version": "9.4"})
    found = verdict(changed(vm(), machines=[machine("filae-1"), other]), "OS-04")
    assert [each.field for each in found.findings] == ["machines[filae-2].os.version"]
    assert found.status == "to_confirm"
    assert status(vm(), "OS-04") == "not_applicable"


def listed(name: str, version: str) -> Tree:
    return {"name": name, "version": version}


@pytest.mark.parametrize(
    ("software", "postgresql", "ruby"),
    [
        ([listed("PostgreSQL", "17.6-0+deb13u1"), listed("ruby3.3", "3.3.8")], "compliant", "compliant"),
        ([listed("postgresql", "17"), listed("postgresql-14", "14")], "gap", "to_document"),
        ([listed("ruby-pg", "1.5")], "to_document", "to_document"),
        ([], "to_document", "to_document"),
        (DROPPED, "to_document", "to_document"),
    ],
)
def test_software_is_what_is_listed_and_what_the_application_runs_on_must_be(software, postgresql, ruby):
    tree = changed(vm(), software=software)
    assert (status(tree, "SW-01"), status(tree, "SW-02")) == (postgresql, ruby)


@pytest.mark.parametrize(
    ("system", "version", "postgresql", "ruby"),
    [("debian", "12", "to_document", "gap"), ("rocky", "9", "to_document", "to_document")],
)
def test_what_a_system_ships_may_have_ended_or_not_be_known(system, version, postgresql, ruby):
    tree = changed(vm(), software=DROPPED, machines__0__os={"id": system, "version": version})
    assert (status(tree, "SW-01"), status(tree, "SW-02")) == (postgresql, ruby)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "to_confirm"),
        ({"until": "2026-11-20"}, "non_compliant"),
        ({"signed_by": None}, "non_compliant"),
        ({"basis": "circulaire 6282-SG"}, "non_compliant"),
    ],
)
def test_a_derogation_that_runs_takes_the_place_of_a_qualification(change, wanted):
    none = {SNC.replace(".", "__"): None}
    assert status(changed(state(), hosting__derogation=DEROGATION | change, **none), "SNC-01") == wanted


@pytest.mark.parametrize(("place", "wanted"), [("RE", "compliant"), ("GP", "compliant"), ("NC", "non_compliant")])
def test_an_outermost_region_is_in_the_union(place, wanted):
    assert status(changed(hds(), hosting__storage_countries=["FR", place]), "HDS-10") == wanted


def test_a_certificate_of_this_year_has_no_surveillance_audit_yet():
    none = {f"{HDS}.surveillance_last".replace(".", "__"): None}
    assert status(changed(hds(), **none), "HDS-05") == "compliant"
    assert status(changed(hds(), **none), "HDS-05", dt.date(2027, 10, 2)) == "non_compliant"


@pytest.mark.parametrize(
    ("duty", "party", "wanted"),
    [
        ("D-PHYSICAL", "dsi", "not_applicable"),
        ("D-PHYSICAL", "host", "non_compliant"),
        ("D-PHYSICAL", "provider", "non_compliant"),
        ("D-HYPERVISOR", "host", "non_compliant"),
        ("D-HYPERVISOR", "provider", "to_confirm"),
    ],
)
def test_a_hospital_whose_room_another_keeps_does_not_host_by_itself(duty, party, wanted):
    assert status(changed(vm(), responsibilities={duty: {party: "RA"}}), "HDS-01") == wanted
    assert status(changed(vm(), responsibilities={duty: {party: "C", "dsi": "RA"}}), "HDS-01") == "not_applicable"
    if party == "host":
        assert status(changed(ght(), responsibilities={duty: {party: "RA"}}), "HDS-01") == "not_applicable"


def test_who_runs_the_backups_may_keep_copies():
    assert status(changed(vm(), responsibilities={"D-BACKUP-INFRA": {"provider": "RA"}}), "HDS-21") == "to_confirm"


@pytest.mark.parametrize(("environment", "wanted"), [("production", "legal_question"), ("demo", "not_applicable")])
def test_no_health_data_in_production_is_for_a_lawyer_to_say(environment, wanted):
    found = judged(changed(vm(), data__health=False, site__environment=environment))
    assert next(each for each in found.verdicts if each.requirement.id == "HDS-24").status == wanted
    stopped = {each.requirement.id for each in found.stopped_by("block")}
    assert ("HDS-24" in stopped) is (environment == "production")


@pytest.mark.parametrize(
    ("change", "wanted"), [({}, "compliant"), ({"to": "2026-11-20"}, "gap"), ({"referential": 1}, "non_compliant")]
)
def test_a_member_of_the_group_that_is_certified_needs_no_exemption(change, wanted):
    certificate = hds()["hosting"]["certificates"]["hds"] | change
    tree = changed(ght(), hosting__certificates={"hds": certificate}, establishment__ght__article26_agreement=None)
    assert status(tree, "HDS-03") == wanted


def test_a_copy_that_the_hospital_keeps_itself_needs_no_certificate():
    assert status(changed(offsite(), backup__offsite__provider_id="hospital-internal"), "HDS-21") == "compliant"
    assert status(vm(), "HDS-21") == "not_applicable"
    assert status(changed(vm(), backup__offsite=None), "HDS-21") == "not_applicable"


def test_a_chain_without_links_has_no_object():
    assert status(hds(), "HDS-16") == "not_applicable"
    assert status(changed(hds(), hosting__subhosts=None), "HDS-16") == "not_applicable"


def test_the_worst_finding_decides():
    tree = changed(vm(), admin__access_path="agent", admin__on_demand=DROPPED)
    assert status(tree, "ADM-01") == "gap"
    assert [each.outcome for each in verdict(tree, "ADM-01").findings] == ["contrary", "missing"]


def test_a_condition_that_is_missing_leaves_the_requirement_to_document():
    found = verdict(changed(hds(), hosting__remote_access_countries=DROPPED), "HDS-11")
    assert (found.status, found.missing) == ("to_document", ("hosting.remote_access_countries",))
    assert status(changed(vm(), hosting__model=DROPPED), "HDS-01") == "to_document"


def test_filae_always_holds_health_and_judicial_data():
    assert status(changed(vm(), data__health=DROPPED), "LOG-01") == "compliant"
    assert status(changed(vm(), data__health=False), "LOG-01") == "not_applicable"
