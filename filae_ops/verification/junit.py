"""Verdicts as JUnit XML, for continuous integration."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from filae_ops.verification.verify import Report


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
                ElementTree.SubElement(case, "failure", message=_clean(each.message)).text = _clean(
                    f"who acts: {owner}; next: {each.next}"
                )
            elif each.status == "not_run":
                ElementTree.SubElement(case, "skipped", message=_clean(each.message))
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
