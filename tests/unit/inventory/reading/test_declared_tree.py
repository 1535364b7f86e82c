# ruff: noqa: E501 - tables: one case per row
"""The sections that a review judges: what is declared, and what is refused, with the place."""

from __future__ import annotations

import datetime as dt

import pytest
import yaml
from material.inventories import offline, quick

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.declared_tree import declared_tree
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.writing.field_tree import sections, walk

DOCUMENT = {"file": "evidence/a.pdf", "date": dt.date(2026, 1, 31)}
PERSON = {"name": "A. Martin", "email": "a.martin@chv.example", "phone": "+33 1 99 00 00 00"}
WHOLE = {
    "establishment": {"kind": "eps", "ght": {"convention_delegates_hosting": dt.date(2024, 5, 2), "article26_agreement": None, "security_measures": DOCUMENT}},
    "data": {"health": True, "judicial": True, "sensitivity_assessment": DOCUMENT, "retention_policy": None},
    "contracts": {"hosting": {"file": "evidence/c.pdf", "clauses": ["perimeter", "sla"]}, "maintenance": {"file": "evidence/m.pdf", "from": dt.date(2026, 1, 1), "to": dt.date(2029, 12, 31), "clauses": []}},
    "documents": {
        "art28": DOCUMENT,
        "aipd": None,
        "acceptance": [{"kind": "va", "date": dt.date(2026, 2, 1), "signed_by": "C. Diallo", "reservations": None, "file": "evidence/va.pdf"}],
        "security_audit": {"kind": "test d'intrusion", "date": dt.date(2026, 3, 1), "max_cvss": 6.5, "file": "evidence/audit.pdf"},
    },
    "governance": {"rssi": PERSON, "dpo": None, "inventory_reviewed_on": dt.date(2026, 10, 1)},
    "responsibilities": {"D-PRA": {"dsi": "RA", "provider": "C"}},
    "software": [{"name": "postgresql", "version": "17"}],
    "continuity": {"in_hospital_pra": True, "rank": 12, "rto_minutes": 240, "rpo_minutes": 0, "last_exercise": dt.date(2026, 6, 1), "degraded_mode": DOCUMENT},
    "admin": {"access_path": "hospital_gateway", "on_demand": True, "mfa": False, "pams": {"qualified": False, "self_assessment_date": dt.date(2026, 1, 1)}},
    "logging": {"central": {"server": "logs.chv.example", "owner": "dsi"}, "transport": "tcp_tls", "retention_days": 365},
    "identity": {"sso": "oidc", "mfa": True, "lifecycle": DOCUMENT},
    "incidents": {"contacts": {"rssi": "A. Martin, +33 1 99 00 00 00", "cert_sante": "cyberveille@esante.example"}, "cnil_procedure": None},
    "supervision": {"endpoint": {"place": "Paris", "country": "FR", "provider": "Prestataire"}},
}  # fmt: skip


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def write(site, values):
    path = site / "group_vars/all/more.yml"
    path.write_text(yaml.dump(values, Dumper=Plain, allow_unicode=True))
    return path


def test_what_is_declared_is_what_was_written(site):
    before = declared_tree(quick(site))
    write(site, WHOLE)
    tree = declared_tree(load(site))
    assert tree == declared_tree(quick(site))
    assert {key: tree[key] for key in WHOLE} == plain(WHOLE)
    assert {key: tree[key] for key in before} == before
    assert set(tree) == set(before) | set(WHOLE)


def plain(value):
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def test_machines_are_a_list_without_their_connection(site):
    tree = declared_tree(quick(site))
    assert tree["machines"] == [
        {"name": "filae-demo", "cpus": 2, "memory_mib": 4096, "disk_gib": 40, "hypervisor": "kvm", "guest_tools": True, "os": {"id": "debian", "version": "13"}},
    ]  # fmt: skip
    assert not {"hosts", "directory", "fingerprint"} & set(tree)


# case, what is written in a new file, what the message says
BAD = [
    ("unknown field", "documents: {aipdd: null}", "documents.aipdd: unknown key; did you mean 'aipd'?"),
    ("unknown section", "document: {}", "document: unknown key; did you mean 'documents'?"),
    ("unknown nested", "establishment: {ght: {article26_agrement: null}}", "unknown key; did you mean 'article26_agreement'?"),
    ("a path for a document", "documents: {aipd: evidence/a.pdf}", "documents.aipd: a mapping"),
    ("no file", "documents: {aipd: {date: 2026-01-01}}", "documents.aipd.file: missing key"),
    ("a file outside", "documents: {aipd: {file: ../a.pdf}}", "'../a.pdf' leaves the inventory"),
    ("a file of the system", "documents: {aipd: {file: /etc/passwd}}", "'/etc/passwd' leaves the inventory"),
    ("a file through", "documents: {aipd: {file: evidence/../../a.pdf}}", "leaves the inventory"),
    ("an impossible day", "documents: {aipd: {file: a.pdf, date: 2026-02-30}}", "'2026-02-30' is not a date that exists"),
    ("an impossible day, in quotes", "documents: {aipd: {file: a.pdf, date: '2026-02-30'}}", "YYYY-MM-DD"),
    ("an impossible year", "documents: {aipd: {file: a.pdf, date: 0206-01-01}}", "0206-01-01 is not a plausible date"),
    ("a French date", "documents: {aipd: {file: a.pdf, date: 31/01/2026}}", "YYYY-MM-DD is wanted, not '31/01/2026'"),
    ("a contract that ends first", "contracts: {maintenance: {file: a.pdf, from: 2026-01-01, to: 2025-12-31}}", "contracts.maintenance.to: `to` (2025-12-31) is before `from` (2026-01-01)"),
    ("an unknown clause", "contracts: {maintenance: {file: a.pdf, clauses: [pass]}}", "contracts.maintenance.clauses.0: one of 'provider_scope'"),
    ("a clause of the other contract", "contracts: {hosting: {file: a.pdf, clauses: [pas]}}", "contracts.hosting.clauses.0: one of 'perimeter'"),
    ("a clause twice", "contracts: {hosting: {file: a.pdf, clauses: [sla, sla]}}", "'sla' is listed twice"),
    ("an unknown country", "supervision: {endpoint: {country: XX}}", "'XX' is not the code of a country"),
    ("a country of another standard", "supervision: {endpoint: {country: UK}}", "supervision.endpoint.country: 'UK' is not the code of a country -> provider: write GB"),
    ("a country in small letters", "supervision: {endpoint: {country: fr}}", "write FR"),
    ("a country by its name", "supervision: {endpoint: {country: France}}", "'France' is not the code of a country"),
    ("a country that YAML takes for no", "supervision: {endpoint: {country: NO}}", "text is wanted, not false: put quotes around it"),
    ("an unknown duty", "responsibilities: {D-PRAA: {dsi: RA}}", "'D-PRAA' is no duty of the register; did you mean 'D-PRA'?"),
    ("a duty of another form", "responsibilities: {pra: {dsi: RA}}", "not of the wanted form"),
    ("an unknown party", "responsibilities: {D-PRA: {umj: RA}}", "is wanted, not 'umj'"),
    ("unknown letters", "responsibilities: {D-PRA: {dsi: X}}", "is wanted, not 'X'"),
    ("a number for a bool", "admin: {mfa: 1}", "true or false is wanted, not 1"),
    ("a word for a bool", "admin: {mfa: oui}", "true or false is wanted, not 'oui'"),
    ("an unknown way in", "admin: {access_path: ssh}", "is wanted, not 'ssh'"),
    ("a version as a number", "software: [{name: postgresql, version: 17}]", "text is wanted, not 17: put quotes around it"),
    ("a mapping for a list", "software: {postgresql: 17}", "software: a list"),
    ("a score of 11", "documents: {security_audit: {kind: x, max_cvss: 11}}", "less than or equal to 10, not 11"),
    ("an acceptance of another kind", "documents: {acceptance: [{kind: vabf, date: 2026-01-01}]}", "is wanted, not 'vabf'"),
    ("a contact without address", "governance: {dpo: {name: DPO}}", "governance.dpo.email: missing key"),
    ("a rank of 0", "continuity: {rank: 0}", "greater than or equal to 1, not 0"),
    ("less than no time", "continuity: {rto_minutes: -1}", "greater than or equal to 0, not -1"),
    ("a tab", "admin:\n\tmfa: true", "a tab where YAML wants spaces"),
    ("a key twice", "admin:\n  mfa: true\n  mfa: false", "duplicate key 'mfa'"),
    ("an alias bomb", "software: &a [x]\nadmin: [*a, *a]", "anchors and aliases are refused"),
    ("a section twice", "backup: {}", "already declared at"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_refused_says_where(site, text, said):
    path = site / "group_vars/all/more.yml"
    path.write_text(f"{text}\n")
    with pytest.raises(OpsError) as caught:
        quick(site)
    assert said in str(caught.value)
    assert f"{path}:" in str(caught.value)
    assert "next: " in str(caught.value)


# case, file, text, its replacement, what the message says
BAD_EDITS = [
    ("an unknown host", "hosting.yml", "model: internal_vendor_admin", "model: hds_host\n  host_id: outscalle", "'outscalle' is no host of the register; did you mean 'outscale'?"),
    ("the hospital as a host", "hosting.yml", "model: internal_vendor_admin", "model: hds_host\n  host_id: hospital-internal", "'hospital-internal' is no host of the register"),
    ("an unknown service", "hosting.yml", "model: internal_vendor_admin", "model: hds_host\n  host_id: outscale\n  service_id: outscale-iaas", "'outscale-iaas' is no service of outscale in the register; did you mean 'outscale-iaas-cod'?"),
    ("the service of another", "hosting.yml", "model: internal_vendor_admin", "model: hds_host\n  host_id: outscale\n  service_id: ct-iaas", "'ct-iaas' is no service of outscale"),
    ("a service without its host", "hosting.yml", "model: internal_vendor_admin", "model: hds_host\n  service_id: nowhere", "'nowhere' is no service of the register"),
    ("a certificate that ends first", "hosting.yml", "hosting:", "hosting:\n  certificates: {hds: {from: 2026-01-01, to: 2025-01-01}}", "hosting.certificates.hds.to: `to` (2025-01-01) is before `from`"),
    ("an unknown referential", "hosting.yml", "hosting:", "hosting:\n  certificates: {hds: {referential: 3}}", "one of 1 or 2 is wanted"),
    ("an unknown activity", "hosting.yml", "hosting:", "hosting:\n  certificates: {hds: {activities: [all]}}", "is wanted, not 'all'"),
    ("a version as a number", "hosting.yml", "hosting:", "hosting:\n  certificates: {snc: {version: 3.2}}", "text is wanted, not 3.2: put quotes around it"),
    ("a copy outside", "hosting.yml", "hosting:", "hosting:\n  certificates: {hds: {copy: ../hds.pdf}}", "'../hds.pdf' leaves the inventory"),
    ("a derogation that ends first", "hosting.yml", "hosting:", "hosting:\n  derogation: {basis: x, granted_on: 2026-02-01, until: 2026-01-01}", "`until` (2026-01-01) is before `granted_on`"),
    ("more than everything", "hosting.yml", "hosting:", "hosting:\n  extra_eu: {non_eu_individual_pct: 101}", "less than or equal to 100, not 101"),
    ("an unknown holder of keys", "hosting.yml", "hosting:", "hosting:\n  encryption: {keys_held_by: us}", "is wanted, not 'us'"),
    ("an unknown level", "hosts.yml", "cpus: 2", "cpus: 2\n        hardening: high-level", "is wanted, not 'high-level'"),
    ("support that ends on no day", "hosts.yml", "id: debian", "id: debian\n          extended_support: {name: ELTS, until: 2027-02-30}", "'2027-02-30' is not a date that exists"),
    ("a proof outside", "hosts.yml", "id: debian", "id: debian\n          extended_support: {name: ELTS, contract: /x}", "'/x' leaves the inventory"),
    ("a sheet outside", "backup.yml", "backup:", "backup:\n  last_restore_test: {date: 2026-01-01, sheet: ../x}", "'../x' leaves the inventory"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "said"), [row[1:] for row in BAD_EDITS], ids=[row[0] for row in BAD_EDITS]
)
def test_what_is_refused_in_a_known_section_says_where(edit, site, name, old, new, said):
    path = edit(name, old, new)
    with pytest.raises(OpsError) as caught:
        quick(site)
    assert said in str(caught.value)
    assert f"{path}:" in str(caught.value)


def test_a_host_that_the_register_holds(edit, site):
    edit(
        "hosting.yml",
        "model: internal_vendor_admin",
        "model: third_party\n  host_id: other-hds-host\n  service_id: other-service",
    )
    assert declared_tree(quick(site))["hosting"]["service_id"] == "other-service"


def test_every_section_is_commented_in_the_model():
    assert [node.path for node in walk(sections()) if not node.meaning] == []


def test_what_is_declared_reaches_ansible_unchanged(site):
    """The two readers agree on dates, null and accents too."""
    write(site, WHOLE)
    assert offline(site / "hosts.yml")["filae-demo"]["continuity"]["last_exercise"] == "2026-06-01"
    load(site)
