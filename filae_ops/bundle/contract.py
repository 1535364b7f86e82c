"""The contract that an application states in `release.yml`: all that the machine needs to know of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from filae_ops.agent.bundle.contract_agreement import Problem, disagreements
from filae_ops.bundle.contract_fields import (
    BodySize,
    Calendar,
    ClientPage,
    Command,
    EnvName,
    Extensions,
    Few,
    HashedDirectories,
    HeaderName,
    HealthPath,
    JsonKey,
    Locale,
    Memory,
    Packages,
    ProcessName,
    RelativePath,
    RubyVersion,
    SchemaVersion,
    ServedPath,
    Slug,
    Status,
    Text,
    TimerName,
    Version,
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Setting(_Part):
    """A value that the inventory gives; without a default, it must."""

    default: Text | None = None


class Secret(_Part):
    """A secret: invented on the machine (`generate`), or supplied by the inventory."""

    generate: Literal["hex64", "password"] | None = None
    env: EnvName | None = None
    only_for: Literal["setup"] | None = Field(default=None, alias="for")


class Database(_Part):
    """What the database is created with."""

    locale: Locale = "C.UTF-8"
    extensions: Extensions = []


class FileStore(_Part):
    """A directory of the application's files: shared by releases, backed up."""

    name: Slug
    path: RelativePath


class Migrate(_Part):
    """How the schema is brought to `schema_version`, and what the old release can bear meanwhile."""

    command: Command
    schema_version: SchemaVersion
    kind: Literal["expand", "contract", "window"]


class Run(_Part):
    """One command."""

    command: Command


class Timer(Run):
    """A command and when it runs."""

    calendar: Calendar


class Probe(Run):
    """A round trip through the application; `writes` says that it leaves data for a moment."""

    writes: bool = False


class HealthVersion(_Part):
    """Where the health page says its version: a key of its JSON, or a header."""

    json_key: JsonKey | None = Field(default=None, alias="json")
    header: HeaderName | None = None


class Health(_Part):
    """The page that says whether the application serves."""

    path: HealthPath
    status: Status = 200
    version: HealthVersion | None = None


class Client(_Part):
    """The static client, served by nginx; `otherwise` is what answers where there is no file.

    `hashed`: directories of it in which every name holds a digest of the content, in whatever form.
    Without a directory everything goes to the application, and `max_body` bounds what it is sent.
    """

    directory: ServedPath | None = None
    otherwise: ClientPage = "app"
    hashed: HashedDirectories = []
    max_body: BodySize = "1m"

    @model_validator(mode="after")
    def _states_something(self) -> Client:
        if not {"directory", "max_body"} & self.model_fields_set:
            raise ValueError("states neither a directory of files nor max_body")
        return self


class Contract(_Part):
    """A release, as its `release.yml` states it; that its keys agree is asked by `disagreements`, once it is valid."""

    name: Slug
    version: Version
    min_from: Version | None = None
    ruby: RubyVersion
    debian_packages: Packages = []
    gems: Literal["debian", "vendored"]
    env: Annotated[dict[EnvName, Text], Few] = {}
    settings: Annotated[dict[EnvName, Setting], Few] = {}
    secrets: Annotated[dict[Slug, Secret], Few] = {}
    database: Database = Database()
    files: Annotated[list[FileStore], Few] = []
    scratch: Annotated[list[RelativePath], Few] = []
    migrate: Migrate | None = None
    setup: Run | None = None
    processes: Annotated[dict[ProcessName, Command], Few]
    timers: Annotated[dict[TimerName, Timer], Few] = {}
    health: Health
    probe: Probe | None = None
    files_check: Run | None = None
    memory: Memory
    client: Client | None = None

    def compiled(self) -> dict[str, Any]:
        """Return the contract as MANIFEST.json holds it: defaults written out, memory in bytes."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def disagreements(self) -> list[Problem]:
        """Return each disagreement between keys, as the machine finds them: where it is stated, and what it is."""
        return list(disagreements(self.compiled()))

    def commands(self) -> dict[str, list[str]]:
        """Return every command by the key that states it."""
        parts = {
            "migrate": self.migrate,
            "setup": self.setup,
            "probe": self.probe,
            "files_check": self.files_check,
        }
        return {
            **{key: part.command for key, part in parts.items() if part},
            **{f"processes.{name}": command for name, command in self.processes.items()},
            **{f"timers.{name}": timer.command for name, timer in self.timers.items()},
        }
