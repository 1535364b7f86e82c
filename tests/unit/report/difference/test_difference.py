"""What a DSI signs the second time: what changed, the verdicts that change, and what did not."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import shutil

import pytest
from typer.testing import CliRunner
from unit.report.difference.test_compare import scrambled
from unit.report.difference.test_git_revision import git

from filae_ops.cli import app
from filae_ops.errors import OpsError
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.report.difference.change import same
from filae_ops.report.difference.compare import changes
from filae_ops.report.difference.difference import Against, difference, side
from filae_ops.report.difference.difference_terminal import lines
from filae_ops.report.difference.section import against, section
from filae_ops.report.difference.sentences import sentence
from filae_ops.report.document.blocks import plain
from filae_ops.report.review.one_site import judged

DAY = dt.date(2026, 11, 22)
FOLDER = Against("older")
DATABASE = """
  - {id: db, description: Infocentre, direction: in, from: [10.1.0.0/16], to: machine, proto: tcp, port: 5432}
"""


@pytest.fixture
def site(tmp_path):
    """A copy of the demonstration's inventory, with one signed document."""
    folder = tmp_path / "site"
    shutil.copytree(data_path("inventories", "demo"), folder)
    (folder / "evidence").mkdir()
    (folder / "evidence" / "aipd.pdf").write_text("first")
    (folder / "group_vars/all/documents.yml").write_text("documents: {aipd: {file: evidence/aipd.pdf}}\n")
    return folder


def seen(folder, day=DAY):
    inventory = load(folder, reader=lambda path: read(path).hostvars())
    tree, judgement, _ = judged(inventory, day)
    return side(inventory, tree, judgement)


def edit(folder, name, old, new):
    path = folder / "group_vars/all" / f"{name}.yml"
    text = path.read_text()
    assert re.search(old, text), old
    path.write_text(re.sub(old, new, text))


def words_of(found, lang="fr"):
    return [sentence(change, lang) for change in found.changes]


def test_verdicts_change_with_what_is_declared(site):
    before = seen(site)
    edit(site, "backup", "interval_hours: 24", "interval_hours: 168")
    (site / "group_vars/all/flows.yml").open("a").write(DATABASE)
    found = difference(before, seen(site), FOLDER)
    assert words_of(found)[0].startswith("Ouvre TCP 5432 (base de données PostgreSQL) depuis 10.1.0.0/16 vers la")
    moved = {each.verdict.requirement.id: each for each in found.verdicts}
    assert moved["BCK-01"].statuses == ("compliant", "non_compliant")
    assert not moved["BCK-01"].better
    assert found.verdicts[0].verdict.requirement.id == "BCK-01", "what blocks comes first"
    back = difference(seen(site), before, FOLDER)
    assert {each.verdict.requirement.id: each.better for each in back.verdicts}["BCK-01"]


def test_the_chapter_the_terminal_and_the_document_say_the_same(site):
    before = seen(site)
    edit(site, "backup", "interval_hours: 24", "interval_hours: 168")
    found = difference(before, seen(site), FOLDER)
    chapter = section(found, "fr")
    texts = [plain(item) for block in chapter.blocks if block.type == "bullets" for item in block.items]
    assert texts == words_of(found)
    printed = "\n".join(text for text, _ in lines(found, "fr"))
    assert all(text in printed for text in texts)
    assert "BCK-01 : conforme → non conforme" in printed
    document = found.document("fr")
    assert [each["text"] for each in document["changes"]] == texts
    assert document["verdicts"][0]["id"] == "BCK-01"
    assert set(document) == {"against", "fingerprints", "presentation_only", "changes", "verdicts", "other_reasons",
                             "by_time", "unchanged"}  # fmt: skip
    json.dumps(document)
    assert printed.splitlines()[-1].startswith("Sans changement : 8 flux, 3 comptes, 1 machine, 1 pièce")
    assert [block.type for block in section(found, "en").blocks] == [block.type for block in chapter.blocks]


def test_another_site_is_said_first(site):
    before = seen(site)
    assert "nom" not in against(difference(before, before, FOLDER), "fr")
    edit(site, "site", "name: chv-demo", "name: chv-nord")
    found = difference(before, seen(site), FOLDER)
    printed = [text for text, _ in lines(found, "fr")]
    assert "chv-demo avant, chv-nord maintenant" in printed[1]


def test_a_file_replaced_gone_or_come_under_its_name(site):
    one = seen(site)
    (site / "evidence/aipd.pdf").write_text("second")
    two = seen(site)
    (text,) = words_of(difference(one, two, FOLDER))
    assert text.startswith("Pièce evidence/aipd.pdf remplacée sous le même nom (empreinte ")
    (site / "evidence/aipd.pdf").unlink()
    gone = difference(two, seen(site), FOLDER)
    assert any("absente maintenant" in text for text in words_of(gone))
    assert "RGPD-04" in json.dumps(gone.document("fr")["verdicts"]) or gone.verdicts
    come = difference(seen(site), two, FOLDER)
    assert any("présente maintenant" in text for text in words_of(come))


def test_secrets_change_without_being_read(site):
    one = seen(site)
    (site / "secrets.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n31\n")
    two = seen(site)
    (site / "secrets.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n32\n")
    assert words_of(difference(one, two, FOLDER)) == [
        "Des secrets (secrets.yml) ont été ajoutés ; leur contenu n'est pas lu"
    ]
    assert words_of(difference(two, seen(site), FOLDER))[0].startswith("Les secrets (secrets.yml) ont changé")
    assert words_of(difference(two, one, FOLDER))[0].endswith("retirés")


def test_comments_alone_are_presentation(site):
    before = seen(site)
    edit(site, "backup", "interval_hours: 24", "interval_hours: 24  # chaque nuit")
    found = difference(before, seen(site), FOLDER)
    assert found.presentation
    assert not found.changes
    assert any("commentaires" in text for text, _ in lines(found, "fr"))
    assert not difference(before, before, FOLDER).presentation


def test_an_address_and_a_host_key_are_changes_of_access(site):
    before = seen(site)
    path = site / "hosts.yml"
    path.write_text(re.sub(r"ansible_host: \S+", "ansible_host: 192.0.2.77", path.read_text()))
    found = difference(before, seen(site), FOLDER)
    (change,) = found.changes
    assert (change.group, change.after) == ("access", "192.0.2.77")


def test_time_alone_changes_verdicts(site):
    """The old inventory was compliant on its day; what it says has expired since."""
    edit(site, "access", r"until: \d{4}-\d\d-\d\d", "until: 2027-01-31")
    then, now = seen(site, dt.date(2026, 11, 22)), seen(site, dt.date(2029, 6, 1))
    found = difference(now, now, Against("x", "a" * 40, "2026-11-22"), then.judgement)
    assert not found.changes
    assert not found.verdicts
    assert "OS-01" in {each.verdict.requirement.id for each in found.time}
    assert any("seul passage du temps" in block.caption for block in section(found, "fr").blocks
               if block.type == "table")  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_no_edit_of_an_inventory_goes_unsaid(site, seed):
    """Random edits of a whole inventory: what is declared differs, so something is said, in both languages."""
    before, chance = seen(site).tree, random.Random(seed)
    for _ in range(15):
        after = scrambled(chance, before)
        found = changes(before, after)
        assert bool(found) == (not same(before, after))
        assert all(sentence(change, lang) for change in found for lang in ("fr", "en"))


@pytest.fixture
def signed(site):
    """The site in a repository, its first commit signed, then one flow more on disk."""
    git(site.parent, "init", "-q", "-b", "main", str(site.parent))
    git(site.parent, "add", "-f", ".")
    git(site.parent, "commit", "-q", "-m", "signed")
    (site / "group_vars/all/flows.yml").open("a").write(DATABASE)
    return site


def review(site, *asked):
    return CliRunner().invoke(app, ["-i", str(site), "review", "--as-of", "2026-11-22", *asked])


def test_the_command(signed, tmp_path):
    done = review(signed, "--diff", "HEAD", "--html", str(tmp_path / "r.html"), "--markdown", str(tmp_path / "r.md"))
    assert done.exit_code == 0, done.output
    assert "Ouvre TCP 5432" in done.output
    for name in ("r.html", "r.md"):
        text = (tmp_path / name).read_text()
        assert "Ce qui a changé depuis la dernière revue signée" in text
        assert "Ouvre TCP 5432" in text
    answer = json.loads(review(signed, "--diff", "HEAD", "--json", "--lang", "en").stdout)
    assert answer["difference"]["changes"][0]["text"].startswith("Opens TCP 5432 (PostgreSQL database)")
    assert answer["difference"]["against"]["day"] == "2026-03-01"
    assert "difference" not in json.loads(review(signed, "--json").stdout)


@pytest.mark.parametrize(
    ("other", "said"),
    [("v0", "nor a revision"), ("--output=x", "neither a folder nor"), ("/nowhere", "neither a folder nor"),
     ("", "neither a folder nor"), ("HEAD:site", "neither a folder nor")],
)  # fmt: skip
def test_what_is_no_older_inventory_is_refused(signed, other, said):
    done = review(signed, f"--diff={other}")
    assert isinstance(done.exception, OpsError)
    assert said in str(done.exception)
    assert done.exception.exit_code == 2


def test_a_certificate_that_is_still_to_come_stops_no_comparison(tmp_path):
    now = tmp_path / "now"
    shutil.copytree(data_path("inventories", "hospital-vm"), now)
    (now / "tls/certificate.pem").unlink()
    done = review(now, "--diff", str(data_path("inventories", "hospital-vm")))
    assert done.exit_code == 0, done.output
    assert "TLS-04" in done.output


def test_an_older_inventory_that_is_refused_says_so(signed, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(signed, older)
    edit(older, "backup", "interval_hours: 24", "interval_hours: never")
    done = review(signed, "--diff", str(older))
    assert "the older inventory" in str(done.exception)
    assert "interval_hours" in str(done.exception)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "the older inventory" in str(review(signed, "--diff", str(empty)).exception)
