"""Records as files: JSON, one a try; JSON lines for an MES; JUnit and a page for the run."""

from __future__ import annotations

import errno
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from fctry.errors import InputError
from fctry.files import REMEDIES, write_file
from fctry.provision.page import page
from fctry.provision.record import RUN_TESTS, Measurement, Record

EVENTS, JUNIT, PAGE = "events.jsonl", "junit.xml", "run.html"


class RecordFolder:
    """A folder for the records of runs, which can be written. A record is whole on disk before `add` returns.

    All raise InputError.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot make the folder: {error.strerror}", hint="name another folder", file=folder
            ) from error
        self.folder = folder
        self._append(folder / EVENTS, b"")

    def add(self, record: Record) -> None:
        """Write one try: a file of its own, and a line of the events."""
        line = _line(record)
        names = (f"{name}.json" for name in _names_of(record))
        write_file(next(path for path in map(self.folder.joinpath, names) if not path.exists()), line)
        self._append(self.folder / EVENTS, line)

    @staticmethod
    def _append(path: Path, line: bytes) -> None:
        """All of the line or nothing of it: what follows would be read as its rest."""
        try:
            with path.open("ab", buffering=0) as file:
                end = file.tell()
                if file.write(line) < len(line):
                    file.truncate(end)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise InputError(
                f"cannot write: {error.strerror}",
                hint=REMEDIES.get(error.errno or 0, "name another folder"),
                file=path,
            ) from error

    def write_all(self, records: Sequence[Record]) -> None:
        """Write all records anew, with OpenHTF's form of each, and what tells of them together."""
        taken = set[str]()
        for record in records:
            name = next(name for name in _names_of(record) if name not in taken)
            taken.add(name)
            write_file(self.folder / f"{name}.json", _line(record))
            write_file(self.folder / f"{name}.openhtf.json", (json.dumps(openhtf(record)) + "\n").encode())
        write_file(self.folder / EVENTS, b"".join(map(_line, records)))
        self.finish(records)

    def finish(self, records: Sequence[Record]) -> None:
        """Write what tells of the whole run."""
        write_file(self.folder / JUNIT, junit(records))
        write_file(self.folder / PAGE, page(records).encode())


def _line(record: Record) -> bytes:
    return (json.dumps(record.as_dict(), ensure_ascii=False) + "\n").encode()


def _names_of(record: Record) -> Iterator[str]:
    """Names for the record's file, best first: where the clock was set back, two tries may have begun at one time."""
    yield name_of(record)
    yield from (f"{name_of(record)}_{number}" for number in itertools.count(2))


def name_of(record: Record) -> str:
    """A name for the record's file: when, to the millisecond, and which device or chip."""
    at = record.started_at.partition("+")[0].translate(str.maketrans("", "", ":-."))
    who = f"device{record.device}" if record.device is not None else record.chip.get("mac", "unknown")
    slot = "".join(letter if letter.isalnum() else "-" for letter in record.about.get("slot", ""))
    return "_".join(filter(None, (at, slot, who.replace(":", ""))))


def junit(records: Sequence[Record]) -> bytes:
    """The run as JUnit XML: a test case for each device."""
    failures = sum(record.failed is not None for record in records)
    seconds = f"{sum(record.seconds for record in records):.3f}"
    suite = Element(
        "testsuite", name="fctry provision", tests=str(len(records)), failures=str(failures), time=seconds
    )
    for record in records:
        named = f"device {record.device}" if record.device is not None else record.chip.get("mac", "unknown")
        product, took = record.about.get("product", ""), f"{record.seconds:.3f}"
        case = _below(suite, "testcase", name=named, classname=product, time=took)
        properties = _below(case, "properties")
        measured = {one.name: f"{one.value:g} {one.unit}".rstrip() for one in record.measurements}
        for name, text in {**record.about, **record.chip, **record.public, **measured}.items():
            _below(properties, "property", name=name, value=text)
        if record.failed:
            said = f"{record.failed.name}: {record.failed.error}"
            _below(case, "failure", f"{said}\n{record.failed.hint}", message=said)
    made: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return made


def _below(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    made = SubElement(parent, tag, {name: _xml(value) for name, value in attributes.items()})
    made.text = _xml(text)
    return made


def openhtf(record: Record) -> dict[str, object]:
    """The record with the names and values of OpenHTF's TestRecord and PhaseRecord.

    Source: openhtf 1.6 core/test_record.py, output/callbacks/json_factory.py.
    """
    start_ms = round(datetime.fromisoformat(record.started_at).timestamp() * 1000)
    phases, at_ms = [], start_ms
    for number, (name, seconds, outcome, said, measured) in enumerate(_phases(record)):
        end_ms = at_ms + round(seconds * 1000)
        phases.append(
            {
                "descriptor_id": number,
                "name": name,
                "codeinfo": {"name": name, "docstring": said, "sourcecode": ""},
                "start_time_millis": at_ms,
                "end_time_millis": end_ms,
                "outcome": outcome,
                "measurements": {one.name: _openhtf_measurement(one) for one in measured},
                "attachments": {},
            }
        )
        at_ms = end_ms
    failed = record.failed
    return {
        "dut_id": str(record.device) if record.device is not None else record.chip.get("mac"),
        "station_id": record.about.get("station", ""),
        "start_time_millis": start_ms,
        "end_time_millis": at_ms,
        "outcome": "FAIL" if failed else "PASS",
        "outcome_details": [{"code": failed.name, "description": failed.error}] if failed else [],
        "metadata": {"test_name": "fctry provision", **record.about, **record.chip, **record.public},
        "phases": phases,
    }


def _phases(record: Record) -> Iterator[tuple[str, float, str, str, tuple[Measurement, ...]]]:
    """Steps, and in place of the one that runs the product's tests these: name, time, outcome, text, measurements."""
    outcomes = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}
    for step in record.steps:
        if step.name == RUN_TESTS and record.cases:
            for case in record.cases:
                yield case.name, case.seconds, outcomes[case.outcome], case.error, case.measurements
        else:
            yield step.name, step.seconds, "FAIL" if step.error else "PASS", step.did or step.error, ()


def _openhtf_measurement(one: Measurement) -> dict[str, object]:
    said = {"name": one.name, "outcome": "PASS" if one.is_within else "FAIL", "measured_value": one.value}
    unit = {"name": one.unit, "code": "", "suffix": one.unit}
    return {**said, **({"units": unit} if one.unit else {}), "validators": [one.limits] if one.limits else []}


def _xml(text: str) -> str:
    """A text without the characters that XML has no place for."""
    return "".join(one if one in "\t\n" or one >= " " else "�" for one in text)
