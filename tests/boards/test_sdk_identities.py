"""A Matter device on the line: its namespace holds secrets beside what is none, and all of it is proven."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from fctry.boards import Board
from fctry.cli.spec.new import template
from fctry.device import flasher
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.ledger import Station, create_ledger
from fctry.identity.spec_file import read_spec
from fctry.nvs.sdks import MATTER
from fctry.partitions.csv import read_csv
from fctry.partitions.flasher_args import read_flasher_args
from fctry.provision import Identities, Run, perform, provision_steps
from fctry.reference import native_build
from tests.unit.identity.template_files import write_certificates

ROOT = Path(__file__).parents[2]
TABLE = read_csv(ROOT / "partitions.csv")
BUILD = ROOT / "firmware" / "native" / "build"
FACTORY = TABLE.find("fctry")
SECRETS = {"dac-key", "verifier", "rd-id-uid"}


@pytest.mark.parametrize("reported", ["", MATTER.namespace])
def test_namespace_of_matter_is_proven_whole_and_its_secrets_are_not_said(
    tmp_path: Path, reported: str
) -> None:
    write_certificates(tmp_path)
    (tmp_path / "factory.toml").write_text(template("matter", "lamp"))
    spec = read_spec(tmp_path / "factory.toml")
    build = BUILD
    if reported:
        options = {"CONFIG_FACTORY_DATA_MORE_NAMESPACES": f'"{reported}"'}
        build = native_build.build(native_build.Recipe(TABLE, options))
    (tmp_path / "ledger").mkdir()
    station = Station("here", folder=tmp_path / "state")
    made, _ = create_ledger(str(tmp_path / "ledger" / "ledger.db"), station)
    maker = ImageMaker(spec, FACTORY.size_bytes, read_only=FACTORY.readonly)
    with made as ledger, Board(tmp_path / "flash.bin", [build]) as board, flasher.connect(board.url) as chip:
        identities = Identities(ledger, spec, maker, Context(datetime.now(timezone.utc)))
        for has_app in (True, False):  # new, and as it comes back
            run = Run(chip, TABLE, FACTORY, identities=identities)
            run.app = read_flasher_args(build) if has_app else None
            assert perform(run, provision_steps(has_app=has_app)).failed is None
        public = ledger.device(1).public
    assert run.proof is not None
    rows = {row.key: row for row in run.proof.comparisons if row.namespace == MATTER.namespace}
    assert rows.keys() == {one.key for one in spec.fields if one.namespace == MATTER.namespace}
    assert {key for key, row in rows.items() if row.is_secret} == SECRETS
    said = {key for key, row in rows.items() if row.said is not None}
    assert said == (rows.keys() - SECRETS if reported else set())
    assert public["vendor-id"] == "65521"
    assert not SECRETS & public.keys()
