from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from filae_ops.errors import OpsError
from filae_ops.strict_yaml import MAX_BYTES, Vault, describe, load


def test_values_and_places():
    value, locate = load("a: 1\nb:\n  - x\n  - {c: 2026-01-02, d: null}\n", name="f.yml")
    assert value == {"a": 1, "b": ["x", {"c": dt.date(2026, 1, 2), "d": None}]}
    assert [locate(loc) for loc in ((), ("a",), ("b", 0), ("b", 1, "c"))] == [(1, 1), (1, 1), (3, 5), (4, 6)]
    assert locate.where(("b", 1, "d")) == "f.yml:4:21"


def test_a_place_that_the_file_does_not_have_is_its_parent_s():
    _, locate = load("a:\n  b: [1]\n")
    assert locate(("a", "missing")) == (1, 1)
    assert locate(("a", "function-after", "b", "list[int]", 0)) == (2, 7)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "---\n"])
def test_nothing(text):
    assert load(text)[0] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2", "2:1: duplicate key 'a', already on line 1"),
        ("a: {b: 1,\n b: 2}", "2:2: duplicate key 'b'"),
        ("a: &x 1", "1:4: anchors and aliases"),
        ("a: [*x]", "1:5: anchors and aliases"),
        ("&x a: 1", "1:1: anchors and aliases"),
        ("<<: {a: 1}", "1:1: merge keys"),
        ("1: a", "the key '1' is not read as text"),
        ("yes: a", "the key 'yes' is not read as text"),
        ("2026-01-01: a", "is not read as text"),
        ("? [a]\n: b", "is not read as text"),
        ("!!str [a]: b", "is not read as text"),
        ("a:\n\t- b", "2:1: a tab where YAML wants spaces"),
        ("a: [1", "expected"),
        ("a: 'x", "1:"),
        ("a: b: c", "1:5: mapping values"),
        ("a: 1\n---\nb: 2", "a second document"),
        ("a: 2026-13-01", "1:4: '2026-13-01' is not a date"),
        ("a: " + "9" * 5000, "is not a int"),
        ("a: !!int x", "is not a int"),
        ("a: !!bool x", "is not a bool"),
        ("a: !!float x", "is not a float"),
        ("a: !!timestamp x", "is not a date"),
        ("a: !!binary aGk=", "'binary' is a tag"),
        ("a: !!set {b}", "'set' is a tag"),
        ("a: !!python/object/apply:os.system [x]", "is a tag"),
        ("a: !unsafe x", "'!unsafe' is a tag"),
        ("a: !vault x", "'!vault' is a tag"),
        ("a: =", "is a tag"),
        ("x: 1\na: \x01", "2:1: control character U+0001"),
        ('a: "\\ud800"', "is not a str"),
        ('"\\ud800": 1', "is not a str"),
        ("[" * 100, "1:33: nested more than 32 levels"),
        ("[" * 200_000, "nested more than 32 levels"),
        ("- " * 100, "nested more than 32 levels"),
        ("a: " + "{a: " * 60, "nested more than 32 levels"),
    ],
)
def test_refused(text, said):
    with pytest.raises(OpsError) as refusal:
        load(text, name="f.yml")
    assert str(refusal.value.args[0]).startswith("f.yml")
    assert said in str(refusal.value)
    assert refusal.value.next_step


def test_vault_values_are_opaque_where_they_are_allowed():
    value, locate = load("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3133\n", allow_vault=True)
    assert isinstance(value["a"], Vault)
    assert "3133" not in repr(value)
    assert locate(("a",)) == (1, 1)
    with pytest.raises(OpsError, match="is a tag"):
        load("a: !vault [x]", allow_vault=True)


def test_a_file(tmp_path):
    path = tmp_path / "f.yml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\n")
    assert load(path)[0] == {"a": "é"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "not a regular file"),
        (os.mkfifo, "not a regular file"),
        (lambda path: path.write_bytes(b"a: 1\nb: \xff\n"), "f.yml:2:1: not UTF-8 (byte 0xff)"),
        (lambda path: path.write_bytes("a: é".encode("utf-16")), "not UTF-8"),
        (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "larger than"),
        (lambda path: path.symlink_to(path), "no such file"),
        (lambda path: path.write_bytes(b"a: 1\n\x00"), "control character U+0000"),
    ],
)
def test_a_file_that_is_refused(tmp_path, make, said):
    path = tmp_path / "f.yml"
    make(path)
    with pytest.raises(OpsError) as refusal:
        load(Path(path))
    assert said in str(refusal.value)


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    a: int
    b: str = ""


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("b: x", ["f:1:1: a: missing key"]),
        ("a: 1\nc: secret", ["f:2:1: c: unknown key"]),
        ("a: x", ["f:1:1: a: Input should be a valid integer (got 'x')"]),
        ("a: 1\nb: 2026-01-01", ["f:2:1: b: must be text: put quotes around it"]),
        ("a: 1\nb: 1", ["f:2:1: b: must be text: put quotes around it (got 1)"]),
        ("b: 1", ["f:1:1: a: missing key", "f:1:1: b: must be text: put quotes around it (got 1)"]),
    ],
)
def test_pydantic_s_problems_get_their_line(text, lines):
    value, locate = load(text, name="f")
    with pytest.raises(ValidationError) as error:
        Model.model_validate(value)
    assert describe(error.value, locate) == lines


def test_a_secret_s_value_is_not_shown():
    value, locate = load("a: hunter2")
    with pytest.raises(ValidationError) as error:
        Model.model_validate(value)
    assert "hunter2" not in "".join(describe(error.value, locate, show_values=False))
