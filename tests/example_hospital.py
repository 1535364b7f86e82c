"""A virtual machine of the hospital, administered by the provider: complete but for what a lawyer alone can answer."""

from __future__ import annotations

import datetime as dt

from example_common import COMPLETE, ED25519, FAR, VALOMBRE, log_flow, person

from filae_ops.inventory.writing.answers import Answers, BackupAnswers, Keyholder, MachineAnswers

_DECLARED = {
    **COMPLETE,
    "establishment.kind": "eps",
    "hosting.storage_countries": ("FR",),
    "hosting.remote_access_countries": ("FR",),
    "governance.rssi": person("RSSI du CH de Valombre", "rssi@chv.example", "+33 1 99 00 12 40"),
    "governance.dpo": person("DPO du GHT", "dpo@chv.example", "+33 1 99 00 12 41"),
    "governance.business_owner": person("Référente métier de l'UMJ", "umj@chv.example", "+33 1 99 00 12 42"),
    "governance.provider_security_contact": person(
        "Correspondante sécurité du prestataire", "securite@prestataire.example", "+33 1 99 00 56 79"
    ),
    "governance.inventory_reviewed_on": dt.date(2026, 11, 3),
    "network.ddos": "filtrage de l'opérateur, activé par l'astreinte de la DSI",
    "network.reverse_proxy": {"owner": "dsi", "product": "relais inverse de l'établissement"},
    "logging.central": {"server": "192.0.2.56", "owner": "dsi"},
    "incidents.contacts.dsi": "Astreinte de la DSI, +33 1 99 00 12 34",
    "incidents.contacts.rssi": "RSSI, +33 1 99 00 12 40",
    "incidents.contacts.dpo": "DPO, +33 1 99 00 12 41",
    "incidents.contacts.provider": "Astreinte du prestataire, +33 1 99 00 56 78",
    "incidents.contacts.cert_sante": "CERT Santé, numéro d'urgence au dos de la fiche de crise",
    "incidents.contacts.cnil": "CNIL, téléservice de notification",
    "backup.offsite.place": "second site de l'établissement, salle informatique de Valombre-Nord",
    "backup.offsite.distance_km": 38,
    "backup.offsite.interval_days": 1,
    "backup.offsite.provider_id": None,
    "backup.offsite.hds_activities": (),
    "machines[].disk_encryption": "hypervisor",
}

HOSPITAL_VM = Answers(
    **VALOMBRE,
    name="chv-production",
    environment="production",
    machines=(
        MachineAnswers(
            "filae-prod",
            "192.0.2.11",
            f"{ED25519}CnJtqxz8RQlIDvTnACfdBawLCgAH68bIc0TTLPdbfSM",
            cpus=4,
            memory_mib=8192,
            disk_gib=120,
            hypervisor="vmware",
            guest_tools=True,
        ),
    ),
    administration_networks=("192.0.2.128/28",),
    operators=(
        Keyholder("amartin", f"{ED25519}HWvj05+ojqYgZu/4662454FGaRPxRohxGnFQhKjxloA", FAR),
        Keyholder("bnguyen", f"{ED25519}M2vXXyyvMfxonObNMxRbP0aJR4r9sFA/kf6f6GmC7YB", FAR),
    ),
    dsi_accounts=(Keyholder("cdiallo", f"{ED25519}HaZ53DRMr7xIjok73p7HYROxWluR+MISsxa3WfpSwi/", FAR),),
    users=("internet",),
    inbound_internet=True,
    settings={"APP_LOCALE": "fr", "SMTP_HOST": "192.0.2.25"},
    signers=(Keyholder("prestataire-2026", f"{ED25519}M5QP+dGtn7cSMLAtbwb6rIqi7rYI03mhzhjuc9C4Rw4", FAR),),
    backup=BackupAnswers(("files", "database", "machine_snapshot", "configuration"), 12, 90, "sauvegardes@chv.example"),
    declared=_DECLARED,
    more_flows=(log_flow("192.0.2.56"),),
    flows_approved=("RSSI du CH de Valombre", dt.date(2026, 5, 12)),
)
