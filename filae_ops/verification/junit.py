"""Verdicts as JUnit XML, for continuous integration."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from filae_ops.agent.system.plain_text import plain
from filae_ops.verification.verify import Report

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def write_junit(report: Report, path: Path) -> None:
    """Write one test case per check: a failure says who acts, a skipped one why."""
    root = ElementTree.Element("testsuites")
    for owner in report.owners:
        mine = [each for each in report.verdicts if each.owner == owner]
        suite = ElementTree.SubElement(
            root, "testsuite", name=f"verify.{owner}", tests=str(len(mine)), errors="0",
            failures=str(report.count("fail", owner)), skipped=str(report.count("not_run", owner)),
        )  # fmt: skip
        for each in mine:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{owner}.{each.requirement}", name=each.id, time="0"
            )
            if each.status == "fail":
                ElementTree.SubElement(
                    case, "failure", message=each.message
                ).text = f"who acts: {owner}; next: {each.next}"
            elif each.status == "not_run":
                ElementTree.SubElement(case, "skipped", message=each.message)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DECLARATION + _clean(ElementTree.tostring(root, encoding="unicode")), encoding="utf-8")


def _clean(text: str) -> str:
    """Spell out what a terminal would obey, most of which XML cannot hold, and replace the rest that it cannot."""
    return re.sub("[\ufffe\uffff]", "\ufffd", plain(text))
