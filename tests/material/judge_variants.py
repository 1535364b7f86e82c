"""Sites of the judge's tests that differ from the usual ones in one thing, and the fields these tests name often."""

from __future__ import annotations

from material.judge_sites import Tree, changed, hds, vm

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
