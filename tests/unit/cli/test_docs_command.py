"""`fctry docs CODE`: what messages cite is at hand wherever fctry is installed."""

from __future__ import annotations

import pytest

from fctry.cli.docs import pages_of_package, sections_of
from fctry.cli.main import main
from fctry.identity.spec_check import RULES as SPEC_RULES
from fctry.nvs.checker import RULES as NVS_RULES
from fctry.partitions.checker import rules_for
from fctry.partitions.rule import Needs


def test_every_code_that_is_cited_has_its_section() -> None:
    sections = sections_of(pages_of_package())
    codes = {*NVS_RULES, *(rule.code for rule in rules_for(*Needs)), *(rule.code for rule in SPEC_RULES)}
    assert len(codes) > 100
    assert codes - sections.keys() == set()


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("layout-overlap", "### `layout-overlap`\n"),
        ("nvs-page-crc", "| `nvs-page-crc` | error | error | CRC of a page header"),
        ("boards", "# "),
    ],
)
def test_topic_is_printed_alone(topic: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", topic]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert out.count("### `") <= 1


def test_pages_are_listed_without_a_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"layouts", "identities", "commands"} < {*names}
    assert not {"api", "index"} & {*names}  # those are made for the site


def test_topic_that_is_none_is_answered_with_those_that_are_like_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["docs", "layout-overlop"]) == 1
    assert "did you mean layout-overlap" in capsys.readouterr().err
