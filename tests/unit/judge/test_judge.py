"""Each blocking, major or claimed requirement whose rule is confirmed: it holds, it fails, nothing is declared."""

from __future__ import annotations

from typing import Any

import pytest
from material.judge_sites import DROPPED, changed, ght, hds, status, vm
from material.judge_variants import HDS, SNC, chain, derogation, offsite, outside, state

from filae_ops.judge.case.register import load_register

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
