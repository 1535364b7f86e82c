"""How a bundle comes onto the machine: what is taken in, under which name, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from material.agent.fakes import machine_at

from filae_ops.agent.bundle import receive
from filae_ops.agent.system.errors import Refused


def framed(data: bytes, signed: bytes, **changes: object) -> io.BytesIO:
    head = {"bundle": len(data), "signature": len(signed), "sha256": hashlib.sha256(data).hexdigest()}
    return io.BytesIO(json.dumps({**head, **changes}).encode() + b"\n" + data + signed)


def test_what_comes_on_stdin_is_stored_under_a_name_of_its_own(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    path = receive.receive(machine, framed(b"bundle", b"signature"))
    assert path.parent == machine.layout.incoming
    assert path.name.startswith(hashlib.sha256(b"bundle").hexdigest()[:16])
    again = receive.receive(machine, framed(b"bundle", b"signature"))
    assert again != path, "two deliveries of one bundle do not share a file"
    receive.forget(machine, again)
    assert path.exists()
    assert path.read_bytes() == b"bundle"
    assert Path(f"{path}.sig").read_bytes() == b"signature"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (io.BytesIO(b""), "does not begin"),
        (io.BytesIO(b"[]\n"), "does not begin"),
        (io.BytesIO(b"[" * 5000), "does not begin"),
        (framed(b"b", b"s", bundle=0), "at most"),
        (framed(b"b", b"s", bundle=2**40), "at most"),
        (framed(b"b", b"s", signature=10**6), "at most"),
        (framed(b"b", b"s", bundle=True), "sizes"),
        (framed(b"b", b"s", sha256="../../x"), "sha256"),
        (framed(b"b", b"s", sha256=int("1" * 64)), "sha256"),
        (framed(b"b", b"s", sha256="0" * 64), "altered"),
        (framed(b"b", b"s", signature=50), "too early"),
        (framed(b"", b"", bundle=9, signature=1), "too early"),
    ],
)
def test_bad_transfers_leave_nothing_half_done(tmp_path: Path, stream: io.BytesIO, words: str) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match=words):
        receive.receive(machine, stream)
    assert [p.name for p in machine.layout.incoming.iterdir() if "partial" in p.name] == []


def test_a_bundle_of_the_machine_is_copied_where_only_root_writes(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    bundle = tmp_path / "filae-2.1.0.tar.zst"
    bundle.write_bytes(b"bundle")
    with pytest.raises(Refused, match="signature"):
        receive.take_in(machine, bundle)
    Path(f"{bundle}.sig").write_bytes(b"s")
    path = receive.take_in(machine, bundle)
    assert path.parent == machine.layout.incoming
    assert receive.take_in(machine, path) == path
