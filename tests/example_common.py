"""What the complete examples share: a hospital that has written down everything that a review asks for."""

from __future__ import annotations

import datetime as dt
from typing import Any

from filae_ops.inventory.writing.answers import GovernanceAnswers, MailAnswers, Person, WindowAnswers

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
FAR = dt.date(2027, 12, 31)
"""Last day of the keys of the examples."""


def document(name: str, day: dt.date) -> dict[str, Any]:
    """Return a document of the evidence directory."""
    return {"file": f"evidence/{name}", "date": day}


def person(name: str, email: str, phone: str) -> dict[str, str]:
    """Return a contact."""
    return {"name": name, "email": email, "phone": phone}


def log_flow(address: str) -> dict[str, Any]:
    """Return the flow of the traces to the hospital's collector."""
    return {
        "id": "traces", "description": "Envoi des traces au concentrateur", "direction": "out", "source": "machine",
        "to": (address,), "proto": "tcp", "port": 6514, "encryption": "TLS 1.2 ou 1.3",
        "authentication": "certificats du concentrateur et de la machine", "data": "traces du système", "owner": "dsi",
        "justification": "traces conservées par la DSI, hors de la machine",
    }  # fmt: skip


_PROJECT = {
    "documents.art28": document("contrat-art28.md", dt.date(2026, 3, 12)),
    "documents.register_entry": document("registre-traitements.md", dt.date(2026, 3, 20)),
    "documents.aipd": document("aipd.md", dt.date(2026, 4, 15)),
    "documents.risk_analysis": document("analyse-risques.md", dt.date(2026, 4, 22)),
    "documents.dat": document("dat.md", dt.date(2026, 5, 4)),
    "documents.dex": document("dex.md", dt.date(2026, 5, 4)),
    "documents.reversibility_plan": document("plan-reversibilite.md", dt.date(2026, 5, 18)),
    "documents.software_map": document("cartographie-logiciels.md", dt.date(2026, 10, 5)),
    "documents.backup_plan": document("plan-sauvegarde.md", dt.date(2026, 5, 11)),
    "documents.crisis_sheet": document("fiche-crise.md", dt.date(2026, 5, 25)),
    "documents.acceptance": [
        {"kind": "va", "date": dt.date(2026, 6, 16), "signed_by": "Référente métier de l'UMJ", "reservations": None,
         "file": "evidence/pv-va.md"},
        {"kind": "vsr", "date": dt.date(2026, 9, 16), "signed_by": "Référente métier de l'UMJ", "reservations": None,
         "file": "evidence/pv-vsr.md"},
    ],
    "documents.security_audit.kind": "test d'intrusion applicatif",
    "documents.security_audit.date": dt.date(2026, 6, 3),
    "documents.security_audit.max_cvss": 3.1,
    "documents.security_audit.file": "evidence/test-intrusion.md",
    "contracts.maintenance.file": "evidence/contrat-maintenance.pdf",
    "contracts.maintenance.date": dt.date(2026, 3, 12),
    "contracts.maintenance.from": dt.date(2026, 4, 1),
    "contracts.maintenance.to": dt.date(2030, 3, 31),
    "contracts.maintenance.clauses": (
        "provider_scope", "dsi_scope", "pas", "convention", "security_contact", "incident_notice", "audit",
        "confidentiality", "art28", "subcontractors", "patch_delays", "remote_rules", "reversibility", "restitution",
        "destruction", "test_data", "deputies",
    ),
}  # fmt: skip

_OPERATION = {
    "admin.access_path": "hospital_gateway",
    "admin.on_demand": True,
    "admin.mfa": True,
    "admin.dedicated_workstation": True,
    "admin.intervention_reports": True,
    "admin.last_account_review": dt.date(2026, 9, 30),
    "admin.pams": {"qualified": False, "self_assessment_date": dt.date(2026, 9, 15)},
    "identity.sso": "oidc",
    "identity.mfa": True,
    "identity.lifecycle": document("cycle-de-vie-des-comptes.md", dt.date(2026, 5, 25)),
    "identity.rie_homologation": document("homologation-rie.md", dt.date(2026, 6, 10)),
    "logging.transport": "tcp_tls",
    "logging.retention_days": 365,
    "logging.health_access_traces": True,
    "logging.user_information": document("information-traces.md", dt.date(2026, 6, 10)),
    "incidents.cert_sante_procedure": document("procedure-cert-sante.md", dt.date(2026, 5, 25)),
    "incidents.cnil_procedure": document("procedure-violation-donnees.md", dt.date(2026, 5, 25)),
    "supervision.endpoint": None,
    "patching.delays.cvss_gt_8_9": 7,
    "patching.delays.cvss_7_8_9": 30,
    "patching.watch": ("debian-security-announce", "CERT-FR", "CERT Santé"),
    "software": [{"name": "postgresql", "version": "17"}, {"name": "ruby", "version": "3.3"}],
}

_BACKUP = {
    "backup.monitoring.last_success": dt.date(2026, 11, 20),
    "backup.offline_or_immutable": True,
    "backup.separate_authentication": True,
    "backup.mfa": True,
    "backup.encrypted_transit": True,
    "backup.encrypted_rest": True,
    "backup.key_escrow": "coffre de la DSI, enveloppe scellée, double chez le RSSI",
    "backup.isolation_switch": True,
    "backup.before_major_change": True,
    "backup.last_restore_test.date": dt.date(2026, 9, 22),
    "backup.last_restore_test.kind": "machine entière, puis la base et un dossier pris au hasard",
    "backup.last_restore_test.minutes": 95,
    "backup.last_restore_test.sheet": "evidence/essai-restauration.md",
    "backup.includes_logs": True,
    "continuity.in_hospital_pra": True,
    "continuity.rank": 4,
    "continuity.rto_minutes": 240,
    "continuity.rpo_minutes": 1440,
    "continuity.last_exercise": dt.date(2026, 6, 25),
    "continuity.degraded_mode": document("mode-degrade.md", dt.date(2026, 5, 25)),
}

_MACHINE = {
    "machines[].hardening": "intermediary",
    "machines[].hardening_report.tool": "OpenSCAP",
    "machines[].hardening_report.profile": "anssi_bp28_intermediary",
    "machines[].hardening_report.date": dt.date(2026, 10, 12),
    "machines[].hardening_report.score": 91.5,
    "machines[].hardening_report.file": "evidence/mesure-durcissement.md",
    "machines[].endpoint_protection": {"product": "EDR de l'établissement", "owner": "dsi"},
}

COMPLETE: dict[str, Any] = {
    "data.sensitivity_assessment": document("analyse-sensibilite.md", dt.date(2026, 4, 15)),
    "data.retention_policy": document("durees-conservation.md", dt.date(2026, 4, 15)),
    "hosting.choice_record": document("choix-hebergement.md", dt.date(2026, 2, 26)),
    "network.dmz": True,
    "network.two_firewalls": True,
    "network.default_deny": True,
    "network.last_rule_review": dt.date(2026, 9, 8),
    "responsibilities": {},
    **_PROJECT,
    **_OPERATION,
    **_BACKUP,
    **_MACHINE,
}
"""Fields by path, of both complete examples."""

VALOMBRE: dict[str, Any] = {
    "hosting": "internal_vendor_admin",
    "establishment": "Centre hospitalier de Valombre (fictif)",
    "dsi_contact": Person("Exploitation de la DSI", "dsi-exploitation@chv.example", "+33 1 99 00 12 34"),
    "provider_contact": Person("Astreinte du prestataire", "astreinte@prestataire.example", "+33 1 99 00 56 78"),
    "window": WindowAnswers(("tue", "thu"), "22:00", 120),
    "governance": GovernanceAnswers("dsi", "dsi", "dsi", "dsi"),
    "public_name": "filae.chv.example",
    "outbound_internet": "proxy",
    "proxy": "http://192.0.2.55:3128",
    "dns_servers": ("192.0.2.53", "2001:db8::53"),
    "time_sources": ("192.0.2.54",),
    "mail": MailAnswers("192.0.2.25", 25),
    "reboot": "window",
}
"""What every site of the hospital of the examples answers to `init`."""
