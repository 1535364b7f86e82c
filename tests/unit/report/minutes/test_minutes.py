"""The minutes of a verification: what they say, whom they believe, and what they never run."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from filae_ops.cli import app
from filae_ops.errors import OpsError
from filae_ops.paths import data_path
from filae_ops.report.minutes import minutes_page as written
from filae_ops.report.minutes.minutes import minutes
from filae_ops.report.minutes.saved_verification import Check, read_saved, verification

EVIL = "<script>alert(1)</script> | `x` [a](javascript:b)\n# <img src=x onerror=y>"


def check(name: str, requirement: str, status: str, message: str, owner: str = "dsi") -> dict[str, str]:
    return {"id": name, "requirement": requirement, "owner": owner, "status": status, "message": message}


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
            check("backup-receipt", "DSI-10", "fail",
                  "the last backup receipt is 72 hours old, declared: 24; next: dsi: look at the backup"),
            check("snapshot-receipt", "DSI-10", "not_run", "the inventory declares no snapshot"),
            check("flow-in-https", "DSI-03", "pass", "The flow is open from here to the machine."),
            check("ssh-root", "SSH-01", "pass", "root cannot log in over SSH.", "provider"),
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
                   "Le dernier reçu de sauvegarde n'est pas plus ancien que déclaré", "72 hours old", "DSI-10",
                   "(https).", "Signatures", "Prestataire", "the inventory declares no snapshot"):  # fmt: skip
        assert wanted in text.replace("&#39;", "'"), wanted
    assert text.index("72 hours old") < text.index("Résultats par règle</h2>")
    assert '<span lang="en">the last backup receipt' in text
    assert "<script" not in text
    assert "http://" not in text
    assert 'lang="fr"' in text


def test_english():
    text = page(lang="en")
    assert "Minutes of verification" in text
    assert "one every 24 hours" in text
    assert '<span lang="en">' not in text


def test_markdown_carries_the_same():
    text = written.markdown(minutes(verification(answer(), "x"), "fr"))
    assert "| Règle | Déclaré | Constaté | Qui répond |" in text
    assert "72 hours old" in text
    assert "DSI-10" in text


def test_hostile_texts_stay_texts():
    content = answer()
    for name in ("site", "establishment", "environment", "filae_ops"):
        content[name] = EVIL
    content["machines"] = [EVIL]
    for each in content["checks"]:
        each["message"] = EVIL
    content["checks"][0]["id"] = EVIL
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


def test_every_check_has_its_words_in_french():
    known = yaml.safe_load(data_path("templates", "verification", "checks.fr.yml").read_text())
    found = []
    for path in data_path("tests", "host").glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                (decorator,) = node.decorator_list
                assert isinstance(decorator, ast.Call)
                found.append(ast.literal_eval(decorator.args[0]))
    assert sorted(known) == sorted(found)
    assert all(text.endswith(".") for text in known.values())


def test_a_check_of_one_machine_or_flow_names_it():
    from filae_ops.report.minutes.minutes import title

    one = Check(id="filae-1:flow-in-ssh", requirement="DSI-03", owner="dsi", status="pass", message="m")
    assert title(one, "fr") == "Le flux est ouvert, d'ici à la machine (ssh, filae-1)."
