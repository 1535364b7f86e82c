"""What the example inventories declare: `.venv/bin/python tests/examples.py` writes them as `filae-ops init` does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from example_common import ED25519, VALOMBRE
from example_counter import COUNTER_EXAMPLE
from example_hospital import HOSPITAL_VM
from example_host import HDS_HOST

from filae_ops.inventory.writing.answers import Answers, BackupAnswers, Keyholder, MachineAnswers

ROOT = Path(__file__).parents[1]
_JUNE, _MARCH = dt.date(2027, 6, 30), dt.date(2027, 3, 31)

DEMO = Answers(
    **VALOMBRE,
    name="chv-demo",
    ask=False,
    environment="demo",
    machines=(
        MachineAnswers(
            "filae-demo",
            "192.0.2.10",
            f"{ED25519}LxqI6i6DdOkDLWzysRd7QOg7yVx+MnTdKp2CvRk572J",
            hypervisor="kvm",
            guest_tools=True,
        ),
    ),
    administration_networks=("192.0.2.128/26",),
    operators=(
        Keyholder("amartin", f"{ED25519}BRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt", _JUNE),
        Keyholder("bnguyen", f"{ED25519}L4FZxuGMT7llHsHfc8zpeJJizPLf7ZggvtR+WpYaZcI", _JUNE),
    ),
    dsi_accounts=(Keyholder("cdiallo", f"{ED25519}FAr0lnZqBCLOEwoZqiTPPY8ErMlw45qdsWNbSAYA6O8", _MARCH),),
    users=("192.0.2.64/26", "2001:db8:10::/48"),
    inbound_internet=False,
    settings={"APP_LOCALE": "fr", "SMTP_HOST": "192.0.2.25"},
    signers=(Keyholder("demo", f"{ED25519}N0Qwuh+T9IDtfjPLqshyrK3a+7OA9xvFhVkLlYuRD4u", _JUNE),),
    backup=BackupAnswers(("files", "database", "machine_snapshot"), 24, 30, "sauvegardes@chv.example"),
)
EXAMPLES = {"demo": DEMO, "hospital-vm": HOSPITAL_VM, "hds-host": HDS_HOST, "counter-example": COUNTER_EXAMPLE}
"""Answers by directory of inventories/; evidence, certificates and encrypted secrets beside them are kept."""
AS_OF = dt.date(2026, 11, 22)
"""Day on which the examples are reviewed: their dates hold then."""


def files(answers: Answers) -> dict[Path, str]:
    """Return what `init` writes but the secrets to fill in, by path in the inventory."""
    from filae_ops.inventory.writing.scaffold import render, schemas

    return {path: text for path, text in {**render(answers), **schemas()}.items() if path.name != "secrets.yml"}


if __name__ == "__main__":
    for name, answers in EXAMPLES.items():
        for path, text in files(answers).items():
            target = ROOT / "inventories" / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
