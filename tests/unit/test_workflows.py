"""Workflows of CI, this repository's and the one that `fctry init` writes: nothing of others changes by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = [ROOT / ".github/workflows/ci.yml", ROOT / "host/fctry/starter/factory-data.yml.in"]


def actions(workflow: Path) -> list[str]:
    return re.findall(r"uses: (.*)", workflow.read_text("utf-8"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_commit_and_jobs_end_and_keep_no_credentials(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    assert actions(workflow)
    assert not [one for one in actions(workflow) if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", one)]
    assert text.count("timeout-minutes:") == text.count("runs-on:")
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    assert "permissions:\n  contents: read\n" in text


def test_both_workflows_name_the_same_commits() -> None:
    named = {one for workflow in WORKFLOWS for one in actions(workflow)}
    assert len(named) == len({one.partition("@")[0] for one in named})


def test_every_python_that_is_supported_is_tried() -> None:
    text = WORKFLOWS[0].read_text("utf-8")
    assert 'python: ["3.10", "3.11", "3.12", "3.13", "3.14"]' in text
    assert 'requires-python = ">=3.10"' in (ROOT / "pyproject.toml").read_text("utf-8")
