"""The request for a machine: what a DSI reads, and a first access that cloud-init takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from material.requests import DAY, DEMO, Edit
from sites import run_ops

from filae_ops.inventory.reading.draft import Draft, draft
from filae_ops.inventory.types.choices import MODELS
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.scaffold import write
from filae_ops.language import Lang
from filae_ops.report.document.rendering import words
from filae_ops.report.request.machine_part import WHOLE_BELOW_GIB, installed_packages, layout
from filae_ops.report.request.sheet import Sheet, as_html, as_markdown, sheet

BLANK = "à compléter par la DSI"


def facts(made: Sheet, chapter: str) -> dict[str, str]:
    (section,) = (each for each in made.sections if each.id == chapter)
    return {name: value for block in section.blocks if block.type == "facts" for name, value in block.rows}  # type: ignore[misc, union-attr]


def words_of(made: Sheet) -> str:
    return re.sub("[\u00a0\u202f]", " ", as_markdown(made)).replace("\\", "")


CHAPTERS = [
    "machine", "disks", "system", "network", "flows", "services", "certificate", "backup", "accounts", "raci",
    "handover", "calendar",
]  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_s_scaffold_gives_a_whole_sheet(model: str, lang: Lang, tmp_path: Path) -> None:
    write(tmp_path / "site", Answers(name="chv-production", hosting=model))
    made = sheet(draft(tmp_path / "site"), lang, day=DAY)
    assert [section.id for section in made.sections] == CHAPTERS
    assert words("request", lang)["models"][model] in dict(made.facts).values()
    for text in (as_html(made), as_markdown(made)):
        assert "None" not in text
        assert "a-renseigner" not in text
        assert not re.search(r"\{[a-z]+\}", text.split("</style>")[-1])


def test_what_the_dsi_knows_is_asked_of_it(scaffold: Draft) -> None:
    made = sheet(scaffold, "fr", day=DAY)
    assert facts(made, "machine")["Hyperviseur"] == BLANK
    assert facts(made, "network")["Serveurs de noms"] == BLANK
    assert facts(made, "services")["Relais de messagerie"] == f"{BLANK}, port TCP 25"
    assert dict(made.facts)["Demandeur"] == "à compléter par le prestataire"
    assert {"network.public_name", "hosts.filae.ansible_host", "flows.https"} <= made.asked
    assert str(len(made.asked)) in made.answers


def test_a_whole_inventory_leaves_little_to_ask() -> None:
    made = sheet(draft(DEMO), "fr", day=DAY)
    assert facts(made, "machine")["Outils invités"] == "oui : qemu-guest-agent"
    assert facts(made, "machine")["Mémoire"] == "4 Gio (4096 Mio)"
    assert facts(made, "network")["Mandataire sortant"] == "http://192.0.2.55:3128"
    assert facts(made, "backup")["Conservation"] == "30 jours"
    assert facts(made, "backup")["Ce qui est sauvegardé"] == "fichiers, base de données, instantané de la machine"
    assert dict(made.facts)["Date de la demande"] == "22/11/2026"
    assert not any(name.startswith(("site.", "flows.")) for name in made.asked)
    text = words_of(made)
    for expected in ("amartin", "cdiallo", "filaectl receipt --kind snapshot", "192.0.2.54", "F9"):
        assert expected in text


def additions(made: Sheet) -> tuple[Any, ...]:
    (section,) = (each for each in made.sections if each.id == "system")
    return next(block.rows for block in section.blocks if block.type == "table")


def test_what_the_image_brings_is_asked_of_the_dsi(site: Path, edit: Edit) -> None:
    made = sheet(draft(site), "fr", day=DAY)
    assert additions(made) == ()
    text = words_of(made)
    assert "Ce que l'établissement ajoute à la machine" in text
    assert "cloud-init, outils invités) : à énumérer ci-dessous" in text
    edit(
        "hosts.yml", 'version: "13"\n',
        'version: "13"\n        additions:\n          - {path: /opt/agent, purpose: essai}\n'
        "          - {unit: agent.service, purpose: a-renseigner, owner: host}\n          - a-renseigner\n",
    )  # fmt: skip
    made = sheet(draft(site), "fr", day=DAY)
    assert additions(made) == (
        ("/opt/agent", "essai", "DSI"), ("agent.service", BLANK, "hébergeur"), (BLANK, BLANK, "DSI"),
    )  # fmt: skip


WITHHELD = {
    "a section": ("flows.yml", r"(?s)\nnetwork:.*?(?=\nflows:)", "\nnetwork: a-renseigner\n"),
    "every flow": ("flows.yml", r"(?s)\nflows:\n.*", "\nflows: a-renseigner\n"),
    "one flow": ("flows.yml", r"\nflows:\n", "\nflows:\n  - a-renseigner\n"),
    "the machine": ("hosts.yml", r"(?s)      machine:.*", "      machine: a-renseigner\n"),
    "the operators": ("access.yml", r"(?s)  operators:.*?(?=\n  # [^\n]*DSI)", "  operators: [a-renseigner]"),
    "the relay": ("flows.yml", r"  mail_relay:\n    host: .*\n    port: .*\n", "  mail_relay: a-renseigner\n"),
    "the backups": ("backup.yml", r"(?s)backup:.*", "backup: a-renseigner\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", WITHHELD)
def test_whatever_is_withheld_is_asked(case: str, site: Path) -> None:
    name, pattern, text = WITHHELD[case]
    path = site / (name if name == "hosts.yml" else f"group_vars/all/{name}")
    after, times = re.subn(pattern, lambda _: text, path.read_text())
    assert times == 1
    path.write_text(after)
    made = sheet(draft(site), "fr", day=DAY)
    assert "None" not in as_markdown(made) + as_html(made)
    if case == "the relay":
        assert facts(made, "services")["Relais de messagerie"] == BLANK


def test_what_is_declared_to_be_none_is_not_asked(site: Path, edit: Edit) -> None:
    edit("backup.yml", "  retention_days: 30\n", "  retention_days: 30\n  offsite: null\n")
    made = sheet(draft(site), "fr", day=DAY)
    assert facts(made, "backup")["Copie éloignée"] == "néant"
    assert "backup.offsite" not in made.asked


def test_a_model_without_duties_is_to_be_agreed(tmp_path: Path) -> None:
    write(tmp_path / "site", Answers(name="chv-production", hosting="ght"))
    made = sheet(draft(tmp_path / "site"), "fr", day=DAY)
    (section,) = (each for each in made.sections if each.id == "raci")
    letters = {row[1] for block in section.blocks if block.type == "table" for row in block.rows}  # type: ignore[union-attr]
    assert letters == {"à convenir"}


def test_both_languages_have_the_same_words() -> None:
    def keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: keys(inner) for key, inner in value.items()}
        return [keys(inner) for inner in value] if isinstance(value, list) else type(value)

    assert keys(dict(words("request", "fr"))) == keys(dict(words("request", "en")))


@pytest.mark.parametrize("gib", [4, 20, 31, 32, 33, 40, 64, 100, 500, 4096])
def test_a_layout_is_the_whole_disk_and_passes_the_preflight(gib: int) -> None:
    """The preflight counts all but the swap and /boot, with ext4's own share taken, and wants nine tenths."""
    volumes = layout(gib)
    assert sum(each.gib for each in volumes) == gib
    assert all(each.gib >= 4 for each in volumes if each.point not in ("/boot", "swap"))
    counted = sum(each.gib for each in volumes if each.point not in ("/boot", "swap"))
    assert counted * 0.98 >= gib * 0.9
    assert (len(volumes) == 1) == (gib < WHOLE_BELOW_GIB)


def test_the_packages_are_those_of_the_roles() -> None:
    assert {"postgresql-17", "nginx", "nftables", "chrony"} <= set(installed_packages())


def test_hostile_words_stay_words(site: Path, edit: Edit) -> None:
    edit("site.yml", "Centre hospitalier de Valombre (fictif)", '"<script>alert(1)</script> | **x** {name}"')
    made = sheet(draft(site), "fr", day=DAY)
    assert "<script" not in as_html(made)
    assert "\\<script\\>" in as_markdown(made)
    assert "\\*\\*x\\*\\*" in as_markdown(made)


def test_the_command(site: Path, edit: Edit, tmp_path: Path) -> None:
    edit("access.yml", "until: 2027-06-30", "until: 2099-06-30")
    names = {"--html": "r.html", "--markdown": "r.md", "--cloud-init": "user-data"}
    options = [word for option, name in names.items() for word in (option, str(tmp_path / name))]
    done = run_ops("-i", str(site), "request-vm", *options)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert all((tmp_path / name).stat().st_size > 500 for name in names.values())
    shown = run_ops("-i", str(site), "request-vm", "--lang", "en", env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for options in (["--account", "root"], ["--cloud-init", str(tmp_path / "x"), "--machine", "y"]):
        refused = run_ops("-i", str(site), "request-vm", *options)
        assert refused.returncode == 2
        assert "next:" in refused.stderr
    assert not (tmp_path / "x").exists()
