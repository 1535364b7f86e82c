"""The writers by the names under which templates and group_vars of the playbooks use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from filae_ops.writers import configuration, openssh

FILTERS: Mapping[str, Callable[..., Any]] = {
    writer.__name__: writer
    for writer in (
        configuration.account,
        configuration.apt_time,
        configuration.apt_url,
        configuration.certificate_name,
        configuration.chrony_source,
        configuration.journal_size,
        configuration.locale,
        configuration.nft_ports,
        configuration.nft_rules,
        configuration.nginx_clients,
        configuration.nginx_name,
        configuration.secret_files,
        configuration.supplied_secrets,
        configuration.timezone,
        configuration.whole_number,
        openssh.allowed_signers,
        openssh.authorized_key_files,
        openssh.ssh_host,
        openssh.ssh_pinned_options,
    )
}
