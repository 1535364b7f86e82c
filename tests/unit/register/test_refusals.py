"""What the register's loader refuses, each with file and line."""

from __future__ import annotations

import pytest
from material.register_files import changed

from filae_ops.errors import OpsError
from filae_ops.register.lookup import read_hosts, read_lifecycles, read_requirements

OS = "requirements/os.yml"
BAD_REQUIREMENTS = [
    ("  owner: provider\n", "  owner: nobody\n", 7, "owner: "),
    ("  owner: provider\n", "", 4, "owner: Field required"),
    ("  owner: provider\n", "  owner: provider\n  colour: red\n", 8, "colour: Extra inputs"),
    ("  owner: provider\n", "  owner: provider\n  owner: dsi\n", 8, "duplicate key 'owner'"),
    ("- id: OS-02", "- id: OS-01", None, "'OS-01' is already line 4"),
    ("- id: OS-01", "- id: os-1", 4, "id: "),
    ("- id: OS-01", "- id: SW-09", 4, "SW-09 is not of the theme OS"),
    ("  title_fr: GNU/Linux maintenu", "  title_fr: ' '", 5, "title_fr: "),
    ("  confidence: seen-official", "  confidence: sure", None, "confidence: "),
    ("  source: FILAE-BLOG\n", "  source: NOWHERE\n", None, "unknown source 'NOWHERE'"),
    ("  source: FILAE-BLOG\n", "", None, "source: Field required"),
    ("  source: FILAE-BLOG\n", "  source: FILAE-BLOG\n  source_date: 6 mai\n", None, "source_date: "),
    ("op: supported_at", "op: looks_good", None, "op: "),
    ("field: 'machines[].os.version'", "field: 'machines[].os.codename'", None, "unknown field 'machines"),
    ("    text_fr: ", "    text_de: ", None, "applies.text_"),
    ("requirements:", "rules:", 1, "the key 'requirements' is wanted"),
    ("\n- id: OS-04", "  observed_fr: le contrat\n\n- id: OS-04", None, "go together"),
    ("  owner: provider\n", "\towner: provider\n", 7, "a tab"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said"), BAD_REQUIREMENTS, ids=[row[3] for row in BAD_REQUIREMENTS])
def test_bad_requirements(tmp_path, old, new, line, said):
    path = changed(tmp_path, OS, old, new)
    with pytest.raises(OpsError) as caught:
        read_requirements(path)
    assert f"{path}:{line or ''}" in str(caught.value)
    assert said in str(caught.value)


BAD_HOSTS = [
    ("- id: outscale\n", "- id: ovhcloud\n", "'ovhcloud' is already line"),
    ("  - id: outscale-public\n", "  - id: ct-iaas\n", "the service 'ct-iaas' is there twice"),
    ("    runs_on: outscale-iaas-cod\n", "    runs_on: somewhere\n", "unknown service 'somewhere'"),
    ("      source: ANSSI-CAT\n", "      source: CATALOGUE\n", "unknown source 'CATALOGUE'"),
    ("      to: 2026-11-30\n", "      to: 2026-11-31\n", "is not a date that exists"),
    ("      to: 2026-11-30\n", "      to: autumn\n", "to: "),
    ("      version: '3.2'\n", "      version: 3.2 maybe\n", "version: "),
    ("      status: qualified\n", "      status: nearly\n", "status: "),
    ("  hq_country: FR\n", "  hq_country: France\n", "hq_country: "),
    ("    activities: [physical_site,", "    activities: [cellar,", "activities.0: "),
]  # fmt: skip
BAD_CALENDARS = [
    ("sources: [EOL, ", "sources: [XXX, ", "unknown source 'XXX'"),
    ("sources: [EOL, DISTRO-INFO]", "sources: []", "sources: "),
    ("version: '12'", "version: '11'", "is already line"),
    ("standard_until: 2024-08-14", "standard_until: 2024-02-30", "is not a date that exists"),
    ("standard_until: 2024-08-14", "standard_until: soon", "standard_until: "),
    ("subscription: false", "subscription: 'no'", "subscription: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "read", "old", "new", "said"),
    [
        *(("hosts.yml", read_hosts, *row) for row in BAD_HOSTS),
        *(("lifecycles.yml", read_lifecycles, *row) for row in BAD_CALENDARS),
    ],
)
def test_bad_hosts_and_calendars(tmp_path, name, read, old, new, said):
    path = changed(tmp_path, name, old, new)
    with pytest.raises(OpsError) as caught:
        read(path)
    assert f"{path}:" in str(caught.value)
    assert said in str(caught.value)
