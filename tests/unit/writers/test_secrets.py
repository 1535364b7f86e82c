"""secrets.yml is a closed list of texts: what is refused is named, and never shown."""

from __future__ import annotations

import pytest

from filae_ops.errors import OpsError
from filae_ops.writers.configuration import supplied_secrets

REFUSED = {
    "a variable of Ansible's": ("ansible_ssh_common_args: S3CRET", "'ansible_ssh_common_args' is not one of"),
    "a variable of a role": ("tls_mode: S3CRET", "'tls_mode' is not one of"),
    "a line more": ('app_secrets: {"x\\nS3": S3CRET}', "is not a name (a-z"),
    "a path": ("app_secrets: {../x: S3CRET}", "not a name"),
    "a list": ("tls_key: [S3CRET]", "tls_key is not a text"),
    "a number": ("app_secrets: {pin: 1234}", "app_secrets: pin is not a text"),
    "no mapping": ("- S3CRET", "not a mapping of names"),
    "secrets in a list": ("app_secrets: [S3CRET]", "app_secrets is not a mapping"),
    "no YAML": ("tls_key: [\nS3CRET: {", "is not YAML"),
    "an object of Python's": ("tls_key: !!python/name:os.S3CRET", "is not YAML"),
    "a date that is none": ("tls_key: 2026-13-45", "is not YAML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_secret_is_named_and_not_shown(case: str) -> None:
    text, reason = REFUSED[case]
    with pytest.raises(OpsError) as refused:
        supplied_secrets(text)
    assert reason in str(refused.value)
    assert "S3CRET" not in str(refused.value)
    assert refused.value.next_step


@pytest.mark.parametrize("text", ["", "# nothing yet", "tls_key:", "app_secrets:"])
def test_nothing_is_supplied(text: str) -> None:
    assert supplied_secrets(text) == {"tls_key": "", "app_secrets": {}}
