"""What decides beside the value of a field: memory, lawyers, dates, each machine, who else holds a part."""

from __future__ import annotations

import datetime as dt

import pytest
from material.judge_sites import DROPPED, Tree, changed, ght, hds, judged, machine, status, verdict, vm
from material.judge_variants import DEROGATION, HDS, SNC, offsite, outside, state


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
