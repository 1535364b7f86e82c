"""Every way in which what a hospital delivers may be wrong is refused, with its owner; what is right passes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from material.authority import Authority, pem

from filae_ops.certificates import check_files
from filae_ops.errors import OpsError

NAME = "filae.hopital.example"
BEGIN, END = "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n"
SERVING = [{}, {"bits": 3072}, {"names": ["*.hopital.example"]}, {"names": [NAME.upper(), "b.example"]}]

# faults of the delivery, names asked for, a part of the message, owner
REFUSED = [
    ("expired", {"days": (-30, -1)}, [NAME], "the certificate expired on", "dsi"),
    ("not valid yet", {"days": (2, 30)}, [NAME], "is valid only from", "dsi"),
    ("about to expire", {"days": (-30, 6)}, [NAME], "in less than 7 days", "dsi"),
    ("wrong name", {"names": ["other.example"]}, [NAME], f"covers other.example, not {NAME}", "dsi"),
    ("one name of two", {}, [NAME, "second.example"], "not second.example", "dsi"),
    ("a wildcard covers one label", {"names": ["*.example"]}, [NAME], f"not {NAME}", "dsi"),
    ("a wildcard is no address", {"names": ["*.0.2.1"]}, ["192.0.2.1"], "not 192.0.2.1", "dsi"),
    ("no alternative name", {"names": []}, [NAME], "has no alternative name", "dsi"),
    ("another's key", {"key": "another"}, [NAME], "is not that of `tls_key`", "dsi"),
    ("no key", {"key": ""}, [NAME], "no private key (`tls_key`)", "provider"),
    ("no readable key", {"key": "garbage"}, [NAME], "is not a readable PEM key", "provider"),
    ("weak key", {"bits": 2048}, [NAME], "RSA key of 2048 bits", "dsi"),
    ("wrong root", {"root": "another"}, [NAME], "does not verify up to the declared root", "dsi"),
    ("missing intermediate", {"chain": "root"}, [NAME], "does not verify up to the declared root", "dsi"),
    ("not PEM", {"server": "hello"}, [NAME], "no readable PEM certificate", "dsi"),
    ("broken PEM", {"server": f"{BEGIN}x\n{END}"}, [NAME], "no readable PEM certificate", "dsi"),
]


def check(directory: Path, names: list[str], **changes: Any) -> None:
    tls = directory / "tls"
    key = json.loads((directory / "secrets.yml").read_text().removeprefix("tls_key: "))
    files = {"certificate": tls / "server.pem", "chain": tls / "chain.pem", "root": tls / "root.pem"}
    check_files(**{"key": key, "names": names, **files, **changes})


@pytest.mark.parametrize(
    ("faults", "names", "said", "owner"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_would_not_serve_is_refused(
    faults: dict[str, Any], names: list[str], said: str, owner: str, tmp_path: Path
) -> None:
    Authority().deliver(tmp_path, **{"names": [NAME], **faults})
    with pytest.raises(OpsError) as caught:
        check(tmp_path, names)
    assert said in str(caught.value.args[0])
    assert caught.value.owner == owner
    assert caught.value.next_step


@pytest.mark.parametrize("faults", SERVING)
def test_what_serves_passes(faults: dict[str, Any], tmp_path: Path) -> None:
    Authority().deliver(tmp_path, **{"names": [NAME], **faults})
    check(tmp_path, [NAME])


def test_the_date_may_be_given(tmp_path: Path) -> None:
    Authority().deliver(tmp_path, names=[NAME])
    with pytest.raises(OpsError, match="expired on"):
        check(tmp_path, [NAME], now=dt.datetime.now(dt.UTC) + dt.timedelta(days=91))


@pytest.mark.parametrize("file", ["certificate", "chain", "root"])
def test_a_file_that_is_not_there(file: str, tmp_path: Path) -> None:
    Authority().deliver(tmp_path, names=[NAME])
    with pytest.raises(OpsError, match=r"/absent\.pem: no such file"):
        check(tmp_path, [NAME], **{file: tmp_path / "absent.pem"})


def test_an_empty_chain_is_refused_with_the_place_to_mend(tmp_path: Path) -> None:
    authority = Authority()
    authority.deliver(tmp_path, names=[NAME])
    (tmp_path / "tls/chain.pem").write_text("")
    with pytest.raises(OpsError) as caught:
        check(tmp_path, [NAME])
    assert caught.value.owner == "dsi"


def test_a_root_in_the_chain_does_not_help(tmp_path: Path) -> None:
    """Whoever makes a certificate may put any root in the chain: only the declared one is trusted."""
    mine, theirs = Authority(), Authority()
    mine.deliver(tmp_path, names=[NAME])
    (tmp_path / "tls/chain.pem").write_text(pem(mine.middle, mine.root))
    (tmp_path / "tls/root.pem").write_text(pem(theirs.root))
    with pytest.raises(OpsError, match="does not verify"):
        check(tmp_path, [NAME])
