"""A certified host, on a service that ANSSI qualified: as complete as one can be, with what this site leaves open."""

from __future__ import annotations

import datetime as dt

from example_common import COMPLETE, ED25519, FAR, document, log_flow, person

from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.inventory.writing.answers import (
    Answers,
    BackupAnswers,
    GovernanceAnswers,
    Keyholder,
    MachineAnswers,
    MailAnswers,
    Person,
    WindowAnswers,
)

_ACTIVITIES = ("physical_site", "hardware", "virtual_infra", "backup")

_HOST = {
    "hosting.storage_countries": ("FR",),
    "hosting.remote_access_countries": ("FR",),
    "hosting.remote_access_guarantees": None,
    "hosting.patient_information": document("information-patients.md", dt.date(2026, 5, 25)),
    "hosting.certificates.hds.number": "36741-6",
    "hosting.certificates.hds.body": "organisme certificateur (exemple)",
    "hosting.certificates.hds.referential": 2,
    "hosting.certificates.hds.activities": _ACTIVITIES,
    "hosting.certificates.hds.scope": "IaaS Cloud on Demand, région cloudgouv-eu-west-1",
    "hosting.certificates.hds.from": dt.date(2026, 8, 27),
    "hosting.certificates.hds.to": dt.date(2029, 8, 27),
    "hosting.certificates.hds.surveillance_last": dt.date(2026, 8, 20),
    "hosting.certificates.hds.copy": "evidence/certificat-hds.md",
    "hosting.certificates.iso27001.number": "FICTIF-27001",
    "hosting.certificates.iso27001.from": dt.date(2026, 8, 27),
    "hosting.certificates.iso27001.to": dt.date(2029, 8, 27),
    "hosting.certificates.iso27001.copy": "evidence/certificat-iso27001.md",
    "hosting.certificates.snc.version": "3.2",
    "hosting.certificates.snc.decision": "2118",
    "hosting.certificates.snc.service": "IaaS Cloud on Demand",
    "hosting.certificates.snc.from": dt.date(2023, 11, 30),
    "hosting.certificates.snc.to": dt.date(2026, 11, 30),
    "hosting.certificates.snc.attestation": "evidence/qualification-secnumcloud.md",
    "hosting.extra_eu.hq_country": "FR",
    "hosting.extra_eu.parent_country": "FR",
    "hosting.extra_eu.non_eu_individual_pct": 10,
    "hosting.extra_eu.non_eu_collective_pct": 25,
    "hosting.extra_eu.veto_or_board": False,
    "hosting.extra_eu.non_eu_subcontractor_access": False,
    "hosting.extra_eu.foreign_subsidiaries": (),
    "hosting.extra_eu.declared_laws": (),
    "hosting.extra_eu.mitigations": document("mesures-lois-extra-europeennes.md", dt.date(2026, 3, 30)),
    "hosting.extra_eu.residual_risks": document("risques-residuels.md", dt.date(2026, 3, 30)),
    "hosting.extra_eu.public_map_url": "https://hebergeur.example/transferts",
    "hosting.subhosts": (),
    "hosting.encryption.keys_held_by": "dsi",
    "contracts.hosting.file": "evidence/contrat-hebergement.md",
    "contracts.hosting.date": dt.date(2026, 3, 30),
    "contracts.hosting.clauses": (
        "perimeter", "services", "rights", "incident_contact", "sla", "subprocessors", "access", "changes", "failure",
        "no_other_use", "restitution", "destruction", "extra_eu", "audit", "responsibilities", "qualified_service",
        "no_penalty_exit", "backup", "eu_law", "erasure_notice",
    ),
    "documents.raci": document("matrice-responsabilites.md", dt.date(2026, 3, 30)),
    "incidents.contacts.host": "Centre de services de l'hébergeur, +33 1 99 00 78 90",
}  # fmt: skip

_OPEN = {
    "identity.rie_homologation": TO_FILL,
    "network.reverse_proxy": None,
    "documents.security_audit": None,
}
"""What this site has not done yet, and says so."""

_DECLARED = {
    **{path: value for path, value in COMPLETE.items() if not path.startswith("documents.security_audit.")},
    **_HOST,
    **_OPEN,
    "establishment.kind": "eps",
    "governance.rssi": person("RSSI du CH de Montfrais", "rssi@chm.example", "+33 1 99 00 34 40"),
    "governance.dpo": person("DPO du CH de Montfrais", "dpo@chm.example", "+33 1 99 00 34 41"),
    "governance.business_owner": person("Cadre de l'UMJ", "umj@chm.example", "+33 1 99 00 34 42"),
    "governance.provider_security_contact": person(
        "Correspondante sécurité du prestataire", "securite@prestataire.example", "+33 1 99 00 56 79"
    ),
    "governance.inventory_reviewed_on": dt.date(2026, 11, 6),
    "network.ddos": "protection de l'hébergeur, comprise dans l'offre",
    "logging.central": {"server": "203.0.113.56", "owner": "dsi"},
    "incidents.contacts.dsi": "Astreinte de la DSI, +33 1 99 00 34 34",
    "incidents.contacts.rssi": "RSSI, +33 1 99 00 34 40",
    "incidents.contacts.dpo": "DPO, +33 1 99 00 34 41",
    "incidents.contacts.provider": "Astreinte du prestataire, +33 1 99 00 56 78",
    "incidents.contacts.cert_sante": "CERT Santé, numéro d'urgence au dos de la fiche de crise",
    "incidents.contacts.cnil": "CNIL, téléservice de notification",
    "backup.offsite.place": "salle informatique de l'établissement, à Montfrais",
    "backup.offsite.distance_km": 410,
    "backup.offsite.interval_days": 1,
    "backup.offsite.provider_id": None,
    "backup.offsite.hds_activities": (),
    "machines[].disk_encryption": "luks",
    "machines[].additions": (
        {"package": "wazuh-agent", "purpose": "agent de supervision de sécurité de l'hébergeur", "owner": "host"},
        {"path": "/var/ossec", "purpose": "réglages et tampons de cet agent", "owner": "host"},
        {"unit": "sauvegarde-agent.service", "purpose": "agent de sauvegarde de l'hébergeur", "owner": "host"},
        {
            "path": "/opt/sauvegarde-agent",
            "purpose": "programmes de cet agent, posés par son installeur",
            "owner": "host",
        },
    ),
}

HDS_HOST = Answers(
    name="chm-production",
    hosting="hds_host",
    host_id="outscale",
    service_id="outscale-iaas-cod",
    region="cloudgouv-eu-west-1",
    environment="production",
    establishment="Centre hospitalier de Montfrais (fictif)",
    dsi_contact=Person("Exploitation de la DSI", "dsi-exploitation@chm.example", "+33 1 99 00 34 34"),
    provider_contact=Person("Astreinte du prestataire", "astreinte@prestataire.example", "+33 1 99 00 56 78"),
    window=WindowAnswers(("wed",), "21:30", 150),
    governance=GovernanceAnswers("dsi", "dsi", "dsi", "dsi"),
    machines=(
        MachineAnswers(
            "filae-prod",
            "203.0.113.11",
            f"{ED25519}FbzkeNcHJrj7eJAktx8MwfBbojR7nQrVvx92ccqp3k+",
            cpus=4,
            memory_mib=8192,
            disk_gib=120,
            hypervisor="kvm",
            guest_tools=True,
        ),
    ),
    administration_networks=("203.0.113.128/28",),
    operators=(
        Keyholder("amartin", f"{ED25519}OmtlTHeRBFEA0QkJNx17BRWNImZshTyguVWXPbvQee5", FAR),
        Keyholder("bnguyen", f"{ED25519}HeWp1oSaapDlW/knrL4//XeGxiUT1UX0f5FV8bBER9/", FAR),
    ),
    dsi_accounts=(Keyholder("elefevre", f"{ED25519}IAGbOWjtXUVzCHxhSIfj955qefsZwvwuz8J0bkn80C+", FAR),),
    public_name="filae.chm.example",
    users=("internet",),
    inbound_internet=True,
    outbound_internet="proxy",
    proxy="http://203.0.113.55:3128",
    dns_servers=("203.0.113.53",),
    time_sources=("203.0.113.54",),
    mail=MailAnswers("203.0.113.25", 587),
    settings={"APP_LOCALE": "fr", "SMTP_HOST": "203.0.113.25"},
    signers=(Keyholder("prestataire-2026", f"{ED25519}M5QP+dGtn7cSMLAtbwb6rIqi7rYI03mhzhjuc9C4Rw4", FAR),),
    backup=BackupAnswers(("files", "database", "machine_snapshot", "configuration"), 12, 90, "sauvegardes@chm.example"),
    reboot="window",
    declared=_DECLARED,
    more_flows=(log_flow("203.0.113.56"),),
    flows_approved=("RSSI du CH de Montfrais", dt.date(2026, 5, 12)),
)
