"""Two sites that declare everything, and how a test changes one thing of them before it is judged."""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from filae_ops.judge.case.case import Case
from filae_ops.judge.case.evidence import declared_paths
from filae_ops.judge.case.raci import rows
from filae_ops.judge.case.register import load_register
from filae_ops.judge.case.verdict import EvidenceFile, Judgement, Verdict
from filae_ops.judge.judge import judge
from filae_ops.judge.judge import verdict as judge_one

DAY = dt.date(2026, 11, 21)
Tree = dict[str, Any]
DROPPED = object()
HOSTING_CLAUSES = [
    "perimeter", "services", "rights", "incident_contact", "sla", "subprocessors", "access", "changes", "failure",
    "no_other_use", "restitution", "destruction", "extra_eu", "audit", "responsibilities", "qualified_service",
    "no_penalty_exit", "backup", "eu_law", "erasure_notice",
]  # fmt: skip
MAINTENANCE_CLAUSES = [
    "provider_scope", "dsi_scope", "pas", "convention", "security_contact", "incident_notice", "audit",
    "confidentiality", "art28", "subcontractors", "patch_delays", "remote_rules", "reversibility", "restitution",
    "destruction", "test_data", "deputies",
]  # fmt: skip
ACTIVITIES = ["physical_site", "hardware", "virtual_infra", "app_platform", "administration", "backup"]
DOCUMENTS = [
    "art28", "register_entry", "aipd", "risk_analysis", "dat", "dex", "raci", "reversibility_plan", "software_map",
    "backup_plan", "crisis_sheet",
]  # fmt: skip


def doc(name: str) -> dict[str, str]:
    return {"file": f"evidence/{name}.pdf", "date": "2026-06-01"}


def contact(name: str) -> dict[str, str]:
    return {"name": name, "email": "contact@chv.example"}


def flow(name: str, direction: str, port: int, peer: str) -> dict[str, Any]:
    ends = {"from": [peer], "to": ["machine"]} if direction == "in" else {"from": ["machine"], "to": [peer]}
    said = {"data": "dossiers", "owner": "dsi", "encryption": "TLS 1.3", "authentication": "compte"}
    return {"id": name, "direction": direction, **ends, "proto": "tcp", "port": [port], **said}


def vm() -> Tree:
    """Return the hospital's machine, administered by the provider: all is declared, and nothing is at fault."""
    return {
        "site": {"name": "chv-production", "environment": "production"},
        "establishment": {"kind": "eps"},
        "data": {
            "health": True, "judicial": True, "sensitivity_assessment": doc("sensibilite"),
            "retention_policy": doc("durees"),
        },
        "hosting": {
            "model": "internal_vendor_admin", "storage_countries": ["FR"], "remote_access_countries": [],
            "choice_record": doc("choix"), "derogation": None,
        },
        "access_governance": {
            "rights_process_owner": "dsi", "access_path_owner": "dsi", "traces_owner": "dsi", "approval_owner": "dsi",
        },
        "access": {"administration_networks": ["192.0.2.128/26"], "operators": [{"name": "amartin"}]},
        "contracts": {
            "maintenance": {
                "file": "evidence/maintenance.pdf", "date": "2025-01-10", "from": "2025-01-15", "to": "2028-01-14",
                "clauses": MAINTENANCE_CLAUSES,
            },
        },
        "documents": {
            **{name: doc(name) for name in DOCUMENTS},
            "acceptance": [{"kind": "va", "date": "2026-02-01", "file": "evidence/va.pdf"}],
            "security_audit": {"kind": "pentest", "date": "2026-05-01", "max_cvss": 4.2, "file": "evidence/audit.pdf"},
        },
        "governance": {
            "rssi": contact("RSSI"), "dpo": contact("DPO"), "business_owner": contact("UMJ"),
            "provider_security_contact": contact("Prestataire"), "inventory_reviewed_on": "2026-10-01",
        },
        "machines": [machine()],
        "software": [{"name": "postgresql", "version": "17"}, {"name": "ruby", "version": "3.3"}],
        "network": {
            "public_name": "filae.chv.example", "inbound_internet": True, "outbound_internet": "proxy",
            "time_sources": ["192.0.2.54"], "dmz": True, "two_firewalls": True, "default_deny": True,
            "last_rule_review": "2026-03-01", "ddos": "offre de l'opérateur",
            "reverse_proxy": {"owner": "dsi", "product": "relais"},
        },
        "flows": [flow("https", "in", 443, "internet"), flow("proxy", "out", 3128, "192.0.2.55")],
        "tls": {"mode": "provided", "certificate": "tls/server.pem"},
        **operation(),
        **recovery(),
    }  # fmt: skip


def machine(name: str = "filae-1", version: str = "13") -> Tree:
    return {
        "name": name, "os": {"id": "debian", "version": version}, "guest_tools": True, "disk_encryption": "hypervisor",
        "hardening": "intermediary", "endpoint_protection": {"product": "EDR", "owner": "dsi"},
        "hardening_report": {
            "tool": "OpenSCAP", "profile": "anssi_bp28_intermediary", "date": "2026-04-01", "score": 92,
            "file": "evidence/scap.html",
        },
    }  # fmt: skip


def operation() -> Tree:
    return {
        "patching": {
            "security_interval_days": 1, "delays": {"cvss_gt_8_9": 30, "cvss_7_8_9": 90}, "watch": ["CERT-FR"],
        },
        "admin": {
            "access_path": "hospital_gateway", "on_demand": True, "mfa": True, "dedicated_workstation": True,
            "intervention_reports": True, "last_account_review": "2026-09-01", "pams": {"qualified": True},
        },
        "logging": {
            "central": {"server": "192.0.2.60", "owner": "dsi"}, "transport": "tcp_tls", "retention_days": 365,
            "health_access_traces": True, "user_information": doc("charte"),
        },
        "identity": {"sso": "oidc", "mfa": True, "lifecycle": doc("comptes"), "rie_homologation": doc("rie")},
        "incidents": {
            "contacts": {"rssi": "+33 1 99 00 12 34"}, "cert_sante_procedure": doc("cert"),
            "cnil_procedure": doc("cnil"),
        },
        "supervision": {"endpoint": None},
    }  # fmt: skip


def recovery() -> Tree:
    return {
        "backup": {
            "kinds": ["files", "database", "machine_snapshot"], "interval_hours": 24, "retention_days": 30,
            "monitoring": {"alert_to": "sauvegardes@chv.example", "last_success": "2026-11-20"},
            "offsite": {"place": "site B", "distance_km": 30, "interval_days": 7, "provider_id": None},
            "offline_or_immutable": True, "separate_authentication": True, "mfa": True, "encrypted_transit": True,
            "encrypted_rest": True, "key_escrow": "coffre de la DSI", "isolation_switch": True,
            "before_major_change": True, "includes_logs": True,
            "last_restore_test": {
                "date": "2026-06-15", "kind": "database", "minutes": 45, "sheet": "evidence/restauration.pdf",
            },
        },
        "continuity": {
            "in_hospital_pra": True, "rank": 12, "rto_minutes": 240, "rpo_minutes": 1440,
            "last_exercise": "2026-01-20", "degraded_mode": doc("degrade"),
        },
    }  # fmt: skip


def hds() -> Tree:
    """Return the same application at a certified host, on the first service qualified SecNumCloud 3.2."""
    tree = vm()
    tree["hosting"] |= {
        "model": "hds_host", "host_id": "outscale", "service_id": "outscale-iaas-cod", "subhosts": [],
        "region": "cloudgouv-eu-west-1", "patient_information": doc("patients"), "encryption": {"keys_held_by": "dsi"},
        "certificates": {
            "hds": {
                "number": "36741-6", "referential": 2, "activities": ACTIVITIES, "scope": "toutes régions",
                "from": "2026-08-27", "to": "2029-08-27", "surveillance_last": "2026-08-20", "copy": "evidence/hds.pdf",
            },
            "iso27001": {"number": "ISO-1", "from": "2025-01-01", "to": "2028-01-01", "copy": "evidence/iso.pdf"},
            "snc": {
                "version": "3.2", "decision": "2118", "service": "IaaS Cloud on Demand", "from": "2023-11-30",
                "to": "2026-11-30", "attestation": "evidence/snc.pdf",
            },
        },
        "extra_eu": {
            "hq_country": "FR", "parent_country": "FR", "non_eu_individual_pct": 10, "non_eu_collective_pct": 20,
            "veto_or_board": False, "non_eu_subcontractor_access": False, "foreign_subsidiaries": [],
            "declared_laws": [], "residual_risks": doc("risques"), "public_map_url": "https://outscale.example/carte",
        },
    }  # fmt: skip
    tree["contracts"]["hosting"] = {"file": "evidence/hebergement.pdf", "clauses": HOSTING_CLAUSES}
    return tree


def ght() -> Tree:
    """Return a machine in another hospital of the group, which is exempt from the certificate."""
    tree = vm()
    tree["hosting"]["model"] = "ght"
    tree["establishment"]["ght"] = {
        "convention_delegates_hosting": "2023-01-01", "article26_agreement": "2023-02-01",
        "security_measures": doc("pssi"),
    }  # fmt: skip
    return tree


def changed(tree: Tree, **changes: Any) -> Tree:
    """Return a copy with these fields changed, written `hosting__certificates__hds`; an index stands as `0`."""
    found = copy.deepcopy(tree)
    for name, value in changes.items():
        put(found, name.replace("__", "."), value)
    return found


def put(tree: Tree, field: str, value: Any) -> None:
    """Set or drop one field: `machines.0.os.version`."""
    *path, last = [int(key) if re.fullmatch(r"\d+", key) else key for key in field.split(".")]
    at: Any = tree
    for key in path:
        at = at[key] if isinstance(key, int) else at.setdefault(key, {})
    if value is DROPPED:
        at.pop(last, None)
    else:
        at[last] = value


def judged(
    tree: Tree,
    day: dt.date = DAY,
    problems: Mapping[str, Any] | None = None,
    certificates: Mapping[str, dt.date] | None = None,
) -> Judgement:
    """Judge a tree whose files are all there, but for those in `problems`."""
    wrong = problems or {}
    evidence = {path: EvidenceFile(path, "0" * 64, 10, wrong.get(path, "")) for path in declared_paths(tree)}
    ends = {"tls/server.pem": dt.date(2027, 3, 1)} if certificates is None else certificates
    return judge(tree, load_register(), day, evidence=evidence, certificates=ends)


def verdict(tree: Tree, name: str, day: dt.date = DAY, **given: Any) -> Verdict:
    """Return the verdict on one requirement."""
    return next(each for each in judged(tree, day, **given).verdicts if each.requirement.id == name)


def one(tree: Tree, name: str) -> str:
    """Return the status of one requirement, judged alone: much faster than with all the others."""
    register = load_register()
    evidence = {path: EvidenceFile(path, "0" * 64, 10) for path in declared_paths(tree)}
    ends = {"tls/server.pem": dt.date(2027, 3, 1)}
    case = Case(tree, register, DAY, rows(tree, register.duties), evidence, ends)
    return judge_one(case, register.requirements[name]).status


def status(tree: Tree, name: str, day: dt.date = DAY, **given: Any) -> str:
    """Return the status of one requirement."""
    return verdict(tree, name, day, **given).status
