"""A saved answer of `verify --json`, read as what a stranger may have written."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from filae_ops.errors import OpsError, Owner
from filae_ops.judge.case.verdict import Status
from filae_ops.language import Lang
from filae_ops.register.model import Severity
from filae_ops.report.document.check_words import HOLDS, Wording, check_of, wording

MAX_BYTES = 10 * 1024 * 1024
STEP = "filae-ops -i INVENTORY verify --json > verify.json writes one; or leave out --from"
Result = Literal["pass", "fail", "not_run"]
Words = Annotated[str, Field(max_length=20_000)]
Value = StrictInt | FiniteFloat | Words | tuple[Words, ...]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Check(_Part):
    """What one check found."""

    id: Words
    requirement: Words
    owner: Owner
    status: Result
    code: Words
    values: dict[Words, Value]

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        """Refuse a code that its check does not say, values that its words do not show, and a pass that says why."""
        if (self.status == "pass") != (self.code == HOLDS):
            raise ValueError(f"{self.id[:40]!r} is {self.status} with the code {self.code[:40]!r}")
        self.wording("fr")
        return self

    def wording(self, lang: Lang) -> Wording:
        """Return what it says in a language, and what to do next."""
        return wording(check_of(self.id), self.code, self.values, lang)


class Declared(_Part):
    """What the inventory says of a requirement."""

    status: Status
    reason: Words
    reason_fr: Words


class Observed(_Part):
    """How many checks of a requirement had each result."""

    passed: Count = Field(alias="pass")
    fail: Count
    not_run: Count


class Requirement(_Part):
    """One requirement, declared and observed."""

    id: Words
    owner: Owner
    severity: Severity
    declared: Declared | None
    observed: Observed
    status: Status
    disagree: bool


class Origin(_Part):
    """The inventory that was verified."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")] | None
    modified: bool


class Verification(_Part):
    """The whole answer."""

    site: Words
    establishment: Words
    environment: Words
    machines: tuple[Words, ...]
    at: AwareDatetime
    inventory: Origin
    filae_ops: Words
    only: Owner | None
    checks: tuple[Check, ...] = Field(min_length=1)
    requirements: tuple[Requirement, ...]

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        """Refuse counts that are not those of the checks, and a verdict that a failed check forbids."""
        counted = Counter((each.requirement, each.status) for each in self.checks)
        known = {each.id for each in self.requirements}
        for each in self.requirements:
            observed = (each.observed.passed, each.observed.fail, each.observed.not_run)
            if observed != tuple(counted[each.id, result] for result in ("pass", "fail", "not_run")):
                raise ValueError(f"the counts of {each.id[:20]!r} are not those of its checks")
            if each.observed.fail and each.status in ("compliant", "to_confirm", "to_document"):
                raise ValueError(f"{each.id[:20]!r} is {each.status} with a failed check")
            if each.status == "compliant" and not each.observed.passed:
                raise ValueError(f"{each.id[:20]!r} is compliant without a measure")
        if strangers := sorted({each.requirement for each in self.checks} - known):
            raise ValueError(f"no verdict on {strangers[0][:20]!r}, which a check names")
        return self


def read_saved(path: Path) -> Verification:
    """Return a saved answer; OpsError when it is none, with what is wrong."""
    try:
        with path.open("rb") as stream:
            written = stream.read(MAX_BYTES + 1)  # a pipe or a device has no size
        if len(written) > MAX_BYTES:
            what = f"{path} is too large for an answer of verify: more than {MAX_BYTES} bytes"
            raise OpsError(what, next_step=STEP, exit_code=2)
        content = json.loads(written.decode())
    except OSError as error:
        raise OpsError(f"{path} cannot be read: {error.strerror}", next_step=STEP, exit_code=2) from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise OpsError(f"{path} is not JSON: {str(error)[:200]}", next_step=STEP, exit_code=2) from None
    return verification(content, str(path))


def verification(content: Any, name: str) -> Verification:
    """Return an answer of `verify --json` as what it says."""
    try:
        return Verification.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise OpsError(
            f"{name} is not an answer of `filae-ops verify --json`: {place}: {first['msg']}", next_step=STEP,
            exit_code=2,
        ) from None  # fmt: skip
