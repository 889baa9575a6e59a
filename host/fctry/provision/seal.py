"""The seal, set last: the firmware says nothing any more. docs/firmware.md says what each kind keeps out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.device.seal import SEAL, burn_seal, check_sealed
from fctry.nvs import encode
from fctry.nvs.factory_image import FactoryImage
from fctry.provision.run import Run, Step
from fctry.provision.write import verify


def seal_by_key(run: Run) -> str:
    """Write the image once more, with the seal in it, which is what the ledger knows from then on."""
    assert run.image
    assert run.identities
    assert run.device is not None
    if SEAL in run.image.items:
        return "sealed before"
    items = (*run.image.items, SEAL)
    plain = encode(items, run.partition.size_bytes, read_only=run.partition.readonly)
    run.image = FactoryImage(plain, items).encrypted(run.identities.keys)
    run.image_sha256 = hashlib.sha256(plain).hexdigest()
    sectors = run.on_device.write(run.image.data)
    verify(run)
    run.chip.reset()
    check_sealed(Console(run.chip, run.on_line), Deadline.after(run.timeout_s))
    run.identities.ledger.record({run.device: run.image_sha256}, "flashed", sealed="key")
    return f"a key in the image, {sectors} sectors"


def seal_by_efuse(run: Run) -> str:
    """Have the firmware burn its bit, for ever."""
    run.chip.reset()
    console, deadline = Console(run.chip, run.on_line), Deadline.after(run.timeout_s)
    burn_seal(console, deadline)
    check_sealed(console, deadline)
    return "an eFuse bit, for ever"


SEALS: Mapping[str, Step] = {"key": seal_by_key, "efuse": seal_by_efuse}
"""The setting `seal` of a project -> the step that does it."""
