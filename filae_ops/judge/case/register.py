"""What the judge reads of the register, in one bundle: judging itself opens no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from filae_ops.register.hosts import Host
from filae_ops.register.model import Requirement
from filae_ops.register.tables import Duty, FieldName, ImmunityStep, Lifecycle


@dataclass(frozen=True)
class Register:
    """Requirements and the tables that they are judged with."""

    requirements: Mapping[str, Requirement]
    """By id, in the order of a review."""
    hosts: Mapping[str, Host]
    duties: Mapping[str, Duty]
    immunity: tuple[ImmunityStep, ...]
    """The decision table on extra-European law."""
    lifecycles: Mapping[tuple[str, str], Lifecycle]
    """Ends of support, by product and version."""
    shipped: Mapping[tuple[str, str], Mapping[str, str]]
    """Versions by product, by distribution and its version."""
    countries: Mapping[str, frozenset[str]]
    """Members of `EU` and `EEA`, as ISO 3166-1 codes of two letters."""
    fields: Mapping[str, FieldName]
    """Names in words of the inventory's fields."""


@cache
def load_register() -> Register:
    """Read the whole register, once."""
    from filae_ops.register import lookup

    return Register(
        requirements=lookup.requirements(),
        hosts=lookup.hosts(),
        duties=lookup.duties(),
        immunity=lookup.immunity_steps(),
        lifecycles=lookup.lifecycles(),
        shipped=lookup.shipped(),
        countries={name: lookup.countries(name) for name in ("EU", "EEA")},
        fields=lookup.fields(),
    )
