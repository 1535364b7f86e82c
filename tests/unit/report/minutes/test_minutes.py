"""The minutes of a verification: what they say, whom they believe, and what they never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from filae_ops.cli import app
from filae_ops.errors import OpsError
from filae_ops.report.document.check_words import title
from filae_ops.report.minutes import minutes_page as written
from filae_ops.report.minutes.minutes import minutes
from filae_ops.report.minutes.saved_verification import read_saved, verification

EVIL = "<script>alert(1)</script> | `x` [a](javascript:b)\n# <img src=x onerror=y>"


AGE = "le dernier reçu de sauvegarde date de 72 h"


def check(
    name: str, requirement: str, status: str, code: str, owner: str = "dsi", /, **values: object
) -> dict[str, Any]:
    told = {"code": code, "values": values, "message": "what the minutes do not believe"}
    return {"id": name, "requirement": requirement, "owner": owner, "status": status, **told}


def requirement(name: str, counts: tuple[int, int, int], status: str, **more: Any) -> dict[str, Any]:
    observed = dict(zip(("pass", "fail", "not_run"), counts, strict=True)) | {"messages": []}
    basis = {"id": name, "owner": "dsi", "severity": "major", "declared": None, "observed": observed,
             "status": status, "disagree": False}  # fmt: skip
    return basis | more


def answer() -> dict[str, Any]:
    held = {"status": "compliant", "reason": "one every 24 hours", "reason_fr": "une toutes les 24 heures"}
    return {
        "summary": {}, "by_owner": {}, "site": "chv-production", "establishment": "Centre hospitalier de V.",
        "environment": "production", "machines": ["filae-1"], "at": "2026-11-22T10:11:12+01:00",
        "inventory": {"sha256": "a" * 64, "commit": None, "modified": False}, "filae_ops": "1.0", "only": None,
        "checks": [
            check("backup-receipt", "DSI-10", "fail", "late", hours=72, declared=24),
            check("snapshot-receipt", "DSI-10", "not_run", "undeclared"),
            check("flow-in-https", "DSI-03", "pass", "holds"),
            check("ssh-root", "SSH-01", "pass", "holds", "provider"),
        ],
        "requirements": [
            requirement("DSI-10", (0, 1, 1), "gap", declared=held, disagree=True),
            requirement("DSI-03", (1, 0, 0), "compliant"),
            requirement("SSH-01", (1, 0, 0), "compliant", owner="provider"),
        ],
    }  # fmt: skip


def page(content: dict[str, Any] | None = None, lang: str = "fr") -> str:
    return written.html(minutes(verification(content or answer(), "x"), lang, saved=True))


def test_the_page_says_who_what_when_and_where_they_disagree():
    text = page()
    for wanted in ("Procès-verbal de vérification", "Centre hospitalier de V.", "chv-production", "filae-1",
                   "22/11/2026 10:11:12 +0100", "a" * 64, "toutes les 24",
                   "Le dernier reçu de sauvegarde n'est pas plus ancien que déclaré", AGE, "DSI-10",
                   "Suite\u00a0: DSI\u00a0: examiner la sauvegarde",
                   "(https).", "Signatures", "Prestataire", "l'inventaire ne déclare aucun instantané"):  # fmt: skip
        assert wanted in text.replace("&#39;", "'"), wanted
    assert text.index(AGE) < text.index("Résultats par règle</h2>")
    assert "what the minutes do not believe" not in text
    assert "<script" not in text
    assert "http://" not in text
    assert 'lang="fr"' in text


def test_english():
    text = page(lang="en")
    assert "Minutes of verification" in text
    assert "one every 24 hours" in text
    assert "the last backup receipt is 72 h old" in text
    assert "what the minutes do not believe" not in text


def test_markdown_carries_the_same():
    text = written.markdown(minutes(verification(answer(), "x"), "fr"))
    assert "| Règle | Déclaré | Constaté | Qui répond |" in text
    assert AGE in text
    assert "DSI-10" in text


def test_hostile_texts_stay_texts():
    content = answer()
    for name in ("site", "establishment", "environment", "filae_ops"):
        content[name] = EVIL
    content["machines"] = [EVIL]
    content["checks"][1] |= {"code": "not_measured", "values": {"error": EVIL}}
    content["checks"][0]["id"] = f"{EVIL}:backup-receipt"
    content["requirements"][0]["declared"] |= {"reason": EVIL, "reason_fr": EVIL}
    for lang in ("fr", "en"):
        text = page(content, lang)
        assert "<script>" not in text
        assert "<img" not in text
        plain = written.markdown(minutes(verification(content, "x"), lang))
        assert "<script>" not in plain.replace("\\<", "")
        assert not any(line.startswith("# \\<") or line.startswith("# <") for line in plain.splitlines())
        assert "[a](javascript" not in plain


BROKEN: dict[str, Any] = {
    "a check that failed, in a compliant rule": lambda it: it["requirements"][0].update(status="compliant"),
    "counts that are not those of the checks": lambda it: it["requirements"][1]["observed"].update({"pass": 3}),
    "a compliant rule that nothing measured": lambda it: (
        it["checks"][2].update(status="not_run"),
        it["requirements"][1]["observed"].update({"pass": 0, "not_run": 1}),
    ),
    "a check without its rule": lambda it: it["requirements"].pop(),
    "no check": lambda it: it.update(checks=[], requirements=[]),
    "another status": lambda it: it["checks"][0].update(status="green"),
    "no fingerprint": lambda it: it["inventory"].update(sha256="x"),
    "a moment without its zone": lambda it: it.update(at="2026-11-22T10:11:12"),
    "a code that nobody says": lambda it: it["checks"][0].update(code="green"),
    "another check's code": lambda it: it["checks"][3].update(status="not_run", code="undeclared"),
    "a value that is missing": lambda it: it["checks"][0]["values"].pop("hours"),
    "a value that nobody shows": lambda it: it["checks"][0]["values"].update(reason="all is well"),
    "a value that is no value": lambda it: it["checks"][0]["values"].update(hours={"a": 1}),
    "a value that is endless": lambda it: it["checks"][0]["values"].update(hours=float("inf")),
    "a pass that says why it fails": lambda it: it["checks"][3].update(code="not_measured", values={"error": "x"}),
    "a failure that says what holds": lambda it: it["checks"][0].update(code="holds", values={}),
    "a check that nobody runs": lambda it: it["checks"][0].update(id="ssh-nothing"),
    "another owner": lambda it: it["checks"][0].update(owner="nobody"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_of_verify_is_refused(name):
    content = answer()
    BROKEN[name](content)
    with pytest.raises(OpsError, match="is not an answer of"):
        verification(content, "verify.json")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"checks": []}', b"1e999999"]
)
def test_a_file_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "verify.json"
    path.write_bytes(text)
    with pytest.raises(OpsError) as refused:
        read_saved(path)
    assert refused.value.exit_code == 2
    assert "verify --json" in refused.value.next_step


def test_a_file_without_end_is_refused():
    with pytest.raises(OpsError, match="too large"):
        read_saved(Path("/dev/zero"))


def test_the_command_reads_a_saved_answer_without_an_inventory(tmp_path):
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(answer()))
    asked = ["report", "verification", "--from", str(path), "--html", str(tmp_path / "m.html"), "--markdown",
             str(tmp_path / "m.md")]  # fmt: skip
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "Procès-verbal" in (tmp_path / "m.html").read_text()
    assert "Procès-verbal" in (tmp_path / "m.md").read_text()


@pytest.mark.parametrize(
    "words", [[], ["--from", "{}", "--html", "x", "--user", "a"], ["--from", "/nowhere", "--html", "x"]]
)
def test_wrong_usage(tmp_path, words):
    path = tmp_path / "verify.json"
    path.write_text(json.dumps(answer()))
    done = CliRunner().invoke(app, ["report", "verification", *(each.format(path) for each in words)])
    assert isinstance(done.exception, OpsError)
    assert done.exception.exit_code == 2


def test_a_check_of_one_machine_or_flow_names_it():
    assert title("filae-1:flow-in-ssh", "fr") == "Le flux est ouvert, d'ici à la machine (ssh, filae-1)."
