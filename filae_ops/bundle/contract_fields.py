"""The kinds of values that `release.yml` may hold, by the machine's own rules."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from filae_ops.agent.bundle import field_rules as rules

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def _bytes(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(r"([1-9][0-9]{0,8})([KMG])", value, re.ASCII)
        value = int(match[1]) * _UNITS[match[2]] if match else 0
    return rules.memory(value if type(value) is int else 0)


Few = AfterValidator(rules.few)
Slug = Annotated[str, AfterValidator(rules.slug)]
Version = Annotated[str, AfterValidator(rules.version)]
RubyVersion = Annotated[str, AfterValidator(rules.ruby_series)]
ProcessName = Annotated[str, AfterValidator(rules.process_name)]
TimerName = Annotated[str, AfterValidator(rules.timer_name)]
RelativePath = Annotated[str, AfterValidator(rules.relative_path)]
ServedPath = Annotated[str, AfterValidator(rules.served_path)]
ClientPage = Annotated[str, AfterValidator(rules.client_page)]
HashedDirectories = Annotated[list[ServedPath], AfterValidator(rules.hashed_directories)]
Text = Annotated[str, AfterValidator(rules.text)]
Command = Annotated[list[Annotated[str, AfterValidator(rules.word)]], AfterValidator(rules.command)]
EnvName = Annotated[str, AfterValidator(rules.env_name)]
Memory = Annotated[int, BeforeValidator(_bytes)]
Packages = Annotated[list[Annotated[str, AfterValidator(rules.package)]], AfterValidator(rules.unique)]
Extensions = Annotated[list[Annotated[str, AfterValidator(rules.extension)]], AfterValidator(rules.unique)]
Locale = Annotated[str, AfterValidator(rules.locale)]
Calendar = Annotated[str, AfterValidator(rules.calendar)]
SchemaVersion = Annotated[str, AfterValidator(rules.schema_version)]
HealthPath = Annotated[str, AfterValidator(rules.health_path)]
Status = Annotated[int, AfterValidator(rules.status)]
JsonKey = Annotated[str, AfterValidator(rules.json_key)]
HeaderName = Annotated[str, AfterValidator(rules.header)]
BodySize = Annotated[str, AfterValidator(rules.body_size)]
