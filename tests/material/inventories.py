from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
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
from filae_ops.paths import data_path

DEMO = data_path("inventories", "demo")


def offline(hosts_file: Path) -> dict[str, dict[str, Any]]:
    """Stand for ansible-inventory: test_two_readers.py shows that both say the same."""
    return read(hosts_file).hostvars()


def quick(path: Path, *, awaited: bool = False) -> Inventory:
    return load(path, reader=offline, awaited=awaited)


UNTIL = dt.date(2027, 6, 30)
HOST_KEY = quick(DEMO).hosts["filae-demo"].host_key
KEY = quick(DEMO).access.operators[0].keys[0].key


def filled(model: str = "internal_vendor_admin", environment: str = "test") -> Answers:
    """Answer everything."""
    return Answers(
        name="essai",
        hosting=model,
        environment=environment,
        establishment="CH de l'Essai : « annexe » #2",
        dsi_contact=Person("DSI", "dsi@essai.example"),
        provider_contact=Person("Prestataire", "p@essai.example", "+33 1 99 00 00 00"),
        window=WindowAnswers(("sun",), "08:30", 60),
        host_id="outscale",
        service_id="outscale-iaas-cod",
        region="eu-ouest",
        governance=GovernanceAnswers("dsi", "dsi", "dsi", "dsi"),
        machines=(MachineAnswers("m1", "192.0.2.10", HOST_KEY, hypervisor="none", guest_tools=False),),
        administration_networks=("192.0.2.1",),
        operators=(Keyholder("amartin", KEY, UNTIL),),
        public_name="filae.essai.example",
        users=("192.0.2.0/24",),
        inbound_internet=False,
        outbound_internet="none",
        mirror_url="http://192.0.2.3:3142/debian",
        mirror_security_url="https://192.0.2.3/security",
        dns_servers=("192.0.2.1",),
        time_sources=("ntp.essai.example",),
        time_to=("192.0.2.2",),
        mail=MailAnswers("mail.essai.example", 587, ("192.0.2.4",)),
        settings={"APP_LOCALE": "no", "APP_TITLE": 'a "b": c # d'},
        signers=(Keyholder("release", HOST_KEY, UNTIL),),
        backup=BackupAnswers(("database", "files"), 24, 30, "sauvegarde@essai.example"),
    )
