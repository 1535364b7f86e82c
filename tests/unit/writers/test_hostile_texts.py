"""Each writer, with each text that it should not be given: it refuses by itself, or carries one value.

Whatever called it: the model's own checks are not counted on.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from material.hostile import HOSTILE

from filae_ops.agent.system.plain_text import one_line
from filae_ops.errors import OpsError
from filae_ops.writers.filters import FILTERS

# A name of ours may look like it.
NO_NAME = [name for name in HOSTILE if name != "an octal address"]
ONE_VALUE = re.compile(r"[A-Za-z0-9._:/@+=~-]+")
TAKES_ONE = {name: FILTERS[name] for name in (
    "account", "apt_time", "apt_url", "certificate_name", "chrony_source", "journal_size", "locale", "nginx_name",
    "ssh_host", "timezone", "whole_number",
)}  # fmt: skip
FLOW = {"id": "x", "direction": "in", "from": ["192.0.2.0/24"], "to": "machine", "proto": "tcp", "port": [443]}
KEY = {"key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILxqI6i6DdOkDLWzysRd7QOg7yVx+MnTdKp2CvRk572J", "until": "2027-06-30"}
RECORDS: dict[str, Any] = {
    "nft_rules": lambda key, text: FILTERS["nft_rules"]({**FLOW, key: text}, ["192.0.2.0/24"]),
    "nft_ports": lambda key, text: FILTERS["nft_ports"]({**FLOW, key: text}),
    "allowed_signers": lambda key, text: FILTERS["allowed_signers"]([{"name": "x", **KEY, key: text}]),
    "authorized_key_files": lambda key, text: FILTERS["authorized_key_files"](
        [{"name": text if key == "name" else "x", "keys": [{**KEY, key: text} if key in KEY else KEY]}]
    ),
    "secret_files": lambda key, text: FILTERS["secret_files"]({text: "x"}),
    "ssh_pinned_options": lambda key, text: FILTERS["ssh_pinned_options"](
        text if key == "name" else "x", text if key == "key" else KEY["key"]
    ),
}
HELD = {
    "nft_rules": ("id", "from", "proto", "port"), "nft_ports": ("port",), "allowed_signers": ("name", "key", "until"),
    "authorized_key_files": ("name", "key", "until"), "secret_files": ("name",), "ssh_pinned_options": ("name", "key"),
}  # fmt: skip


def test_every_filter_is_tried() -> None:
    assert {*TAKES_ONE, *RECORDS, "supplied_secrets", "nginx_clients"} == set(FILTERS)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_writer_of_one_word_refuses_by_itself_or_carries_one(hostile: str) -> None:
    """Whatever called it: the model's own checks are not counted on."""
    refusals = []
    for writer in TAKES_ONE.values():
        try:
            assert ONE_VALUE.fullmatch(str(writer(HOSTILE[hostile])))
        except OpsError as error:
            refusals.append(str(error))
    assert all(one_line(text.partition("\n")[0]) and len(text) < 600 for text in refusals)
    assert refusals


@pytest.mark.parametrize("hostile", NO_NAME)
def test_a_writer_of_lines_refuses_each_of_its_texts(hostile: str) -> None:
    for name, texts in HELD.items():
        for text in texts:
            with pytest.raises(OpsError):
                RECORDS[name](text, HOSTILE[hostile])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_secret_is_kept_as_it_is_and_never_told(hostile: str) -> None:
    text = HOSTILE[hostile]
    document = yaml.safe_dump({"tls_key": text, "app_secrets": {"smtp": text}})
    if "\0" in text or len(text) > 60_000:
        with pytest.raises(OpsError) as refused:
            FILTERS["supplied_secrets"](document)
        assert text not in str(refused.value)
        return
    secrets = FILTERS["supplied_secrets"](document)
    assert secrets == {"tls_key": text, "app_secrets": {"smtp": text}}
    (file,) = FILTERS["secret_files"](secrets["app_secrets"])
    assert file["path"] == "/etc/filae/secrets/smtp"
    assert file["content"] == f"{text}\n"
