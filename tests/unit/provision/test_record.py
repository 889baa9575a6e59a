"""Records: read back as they were written, described by their schema, and nothing in them breaks a file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import jsonschema
import pytest

from fctry.errors import FormatError
from fctry.provision.record import SCHEMA, CaseRecord, Measurement, Record, StepRecord, from_dict
from fctry.provision.record_files import RecordFolder, junit, name_of, openhtf

PASSED = Record(
    "2026-11-26T02:21:08.274+00:00",
    (StepRecord("identify", 0.1, "ESP32"), StepRecord("run tests", 0.25, "1 tests, 2 measurements")),
    device=7,
    image_sha256="ab" * 32,
    chip={"name": "ESP32", "mac": "24:0a:c4:00:00:01"},
    public={"serial_number": "SN7"},
    about={"station": "left", "lot": "4711", "slot": "usb/1"},
    cases=(
        CaseRecord(
            "test_lamp.py::test_supply",
            0.25,
            "passed",
            measurements=(Measurement("vbat", 3.31, "V", 3.2, 3.4), Measurement("turns", 3)),
        ),
    ),
)
HOSTILE = "</script><b>&\"'\x1b[31m\0"
FAILED = Record(
    "2026-11-26T02:21:09.000+00:00",
    (StepRecord("identify", 0.1, "ESP32"), StepRecord("write", 0.5, "", HOSTILE, "hint")),
    public={HOSTILE: HOSTILE},
    about={"product": HOSTILE},
    unchecked=("the MAC address",),
    cases=(CaseRecord(HOSTILE, 0.1, "failed", HOSTILE, (Measurement(HOSTILE, 9.0, HOSTILE, high=1.0),)),),
)


@pytest.mark.parametrize("record", [PASSED, FAILED])
def test_record_is_read_back_and_is_as_its_schema_says(record: Record) -> None:
    said = json.loads(json.dumps(record.as_dict()))
    jsonschema.validate(said, SCHEMA)
    assert from_dict(said) == record
    assert said["outcome"] == ("failed" if record is FAILED else "proven")


@pytest.mark.parametrize("change", [{"schema": 2}, {"steps": [{"name": "x"}]}, {"steps": None}])
def test_what_is_no_record_of_this_version_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        from_dict({**PASSED.as_dict(), **change})


def test_junit_has_a_case_for_each_device() -> None:
    suite = ElementTree.fromstring(junit([PASSED, FAILED]))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    passed, failed = suite.findall("testcase")
    assert passed.get("name") == "device 7"
    assert {one.get("name"): one.get("value") for one in passed.iter("property")}["vbat"] == "3.31 V"
    assert passed.find("failure") is None
    assert failed.find("failure") is not None


def test_openhtf_is_told_of_each_step_and_the_outcome() -> None:
    said = openhtf(FAILED)
    assert (said["outcome"], said["outcome_details"]) == ("FAIL", [{"code": "write", "description": HOSTILE}])
    assert [(phase["name"], phase["outcome"]) for phase in said["phases"]] == [  # type: ignore[attr-defined]
        ("identify", "PASS"),
        ("write", "FAIL"),
    ]
    assert said["end_time_millis"] - said["start_time_millis"] == 600  # type: ignore[operator]
    assert openhtf(PASSED)["dut_id"] == "7"
    _, supply = cast(list[dict[str, Any]], openhtf(PASSED)["phases"])
    assert (supply["name"], supply["outcome"]) == ("test_lamp.py::test_supply", "PASS")
    assert supply["measurements"]["vbat"] == {
        "name": "vbat",
        "outcome": "PASS",
        "measured_value": 3.31,
        "units": {"name": "V", "code": "", "suffix": "V"},
        "validators": ["low 3.2, high 3.4"],
    }


def test_files_of_a_run_hold_each_record_and_nothing_that_was_not_escaped(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "records")
    for record in (PASSED, FAILED):
        folder.add(record)
    folder.finish([PASSED, FAILED])
    names = {path.name for path in folder.folder.iterdir()}
    assert names == {
        f"{name_of(PASSED)}.json",
        f"{name_of(FAILED)}.json",
        "events.jsonl",
        "junit.xml",
        "run.html",
    }
    assert name_of(PASSED) == "20261126T022108274_usb-1_device7"
    lines = (folder.folder / "events.jsonl").read_text().splitlines()
    assert [from_dict(json.loads(line)) for line in lines] == [PASSED, FAILED]
    page = (folder.folder / "run.html").read_text()
    assert "<b>&" not in page
    assert "&lt;b&gt;" in page
    assert "50.0%" in page


def test_no_record_takes_the_place_of_another_that_began_at_its_time(tmp_path: Path) -> None:
    again = dataclasses.replace(PASSED, image_sha256="ab" * 32)
    tries, exported = RecordFolder(tmp_path / "tries"), RecordFolder(tmp_path / "exported")
    for record in (PASSED, again):
        tries.add(record)
    for _ in range(2):
        exported.write_all([PASSED, again])
    for folder in (tries, exported):
        files = folder.folder.glob("*[0-9].json")
        found = [from_dict(json.loads(path.read_text())) for path in files]
        assert {record.image_sha256 for record in found} == {PASSED.image_sha256, again.image_sha256}
        assert len(found) == 2
