"""`requirements list` and `requirements show`: one requirement explained, and the register filtered."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from filae_ops.cli import app
from filae_ops.console import out
from filae_ops.errors import OpsError
from filae_ops.register.lookup import requirements


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setattr(out, "_width", 80)


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["requirements", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").split())


def test_show_says_everything():
    shown = plain(run("show", "NET-04"))
    for words in (
        "NET-04 Tout flux non listé est bloqué",
        "Le filtrage n'autorise que les flux identifiés",
        "ReCyF (Référentiel cyber France) v2.5 — 7.B.3",
        "https://messervices.cyber.gouv.fr/",
        "2026-03-17",
        "par une transcription publique du texte officiel",
        "Qui répond la DSI",
        "S'applique toujours",
        "network.default_deny (blocage de tout flux non listé) : oui. Pièce : politique de filtrage.",
        "Mesuré rien sur la machine",
    ):
        assert words in shown


def test_show_says_how_it_is_measured_and_that_the_rule_is_from_memory():
    assert "par « filae-ops verify » : sshd refuse root" in plain(run("show", "SSH-01"))
    assert "rien : seule la machine peut le dire" in plain(run("show", "SSH-01"))
    assert "personne n'a ouvert le texte, un verdict reste à confirmer" in plain(run("show", "RGPD-01"))
    assert "nobody opened the text" in plain(run("show", "RGPD-01", "--lang", "en"))


@pytest.mark.parametrize("name", ["hds-7", "HDS-07", "hds-07"])
def test_show_understands_an_id(name):
    assert "HDS-07" in run("show", name)


@pytest.mark.parametrize(("name", "near"), [("NET-44", "NET-04"), ("TLS-9", "TLS-0"), ("nothing", "")])
def test_an_unknown_id_is_refused_with_the_nearest(name, near):
    with pytest.raises(OpsError, match=f"no requirement '{name}'") as caught:
        run("show", name)
    assert f"requirements show {near}" in caught.value.next_step
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_requirement_can_be_shown_within_eighty_columns(lang):
    from filae_ops.cli.requirements import _lines
    from filae_ops.report.requirement import rows

    for each in requirements().values():
        lines = list(_lines(rows(each, lang), 80))
        assert [line for line in lines if len(line) > 80 and "https://" not in line] == [], each.id


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_list_fits_eighty_columns(lang):
    listed = run("list", "--lang", lang)
    assert max(map(len, listed.splitlines())) <= 80
    assert all(name in listed for name in requirements())


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (["--theme", "tls"], lambda each: each.theme == "TLS"),
        (["--owner", "host"], lambda each: each.owner == "host"),
        (["--severity", "block"], lambda each: each.severity == "block"),
        (["--theme", "HDS", "--owner", "dsi", "--severity", "warn"], lambda each: each.id in ("HDS-15", "HDS-23")),
    ],
)
def test_the_list_is_filtered(options, kept):
    found = [row["id"] for row in json.loads(run("list", *options, "--json"))]
    assert found == [each.id for each in requirements().values() if kept(each)]


def test_an_unknown_theme_is_refused():
    with pytest.raises(OpsError, match="no theme 'GDPR'"):
        run("list", "--theme", "GDPR")


def test_show_json():
    found = json.loads(run("show", "BCK-13", "--json", "--lang", "en"))
    assert found["source_date"] == requirements()["BCK-13"].source_date
    assert found["declared"] == [
        {
            "field": "backup.last_restore_test.minutes",
            "op": "lte_field",
            "value": "continuity.rto_minutes",
            "name": "length of the last restore test, in minutes",
            "proof": "restore sheet",
        }
    ]
    assert found["observed"] is None
