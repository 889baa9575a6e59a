"""What identity a device gets, and what the ledger is told of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fctry.errors import DeviceError
from fctry.identity.spec_example import example
from fctry.nvs.factory_image import FactoryImage
from fctry.provision.known import check_still_new, device_of_label, find_device, keep, numbers
from fctry.provision.run import Run

if TYPE_CHECKING:
    from fctry.identity.ledger import Device


def choose_identity(run: Run) -> str:
    """The identity that this device has already, else a new one; its image is made, and the ledger knows its chip.

    What is whole on the device stays. Otherwise a known device gets the same public values with fresh secrets, since
    nobody here can read the old ones. Raises DeviceError for data of another device, or of nobody's.
    """
    assert run.identities
    found, ledger, spec = find_device(run), run.identities.ledger, run.identities.spec
    if found.is_whole:
        did = keep(run, found)
        _bind(run)
        return did
    if found.device and run.label:
        _check_label_lasts(run, found.device)
    context = run.identities.context._replace(
        station={**run.identities.context.station, "mac": run.identity.mac},
        prepared=spec.prepare(),  # before the ledger waits for it
    )
    with ledger.turn():
        if found.device:
            reserved = ledger.renew(found.device.id, spec, context)
        else:
            check_still_new(run)
            (reserved,) = ledger.reserve(run.identities.product, spec, [context])
        ledger.bind(reserved.id, **numbers(run))
        plain = run.identities.maker(reserved.draft)
        run.image_sha256 = hashlib.sha256(plain).hexdigest()
        ledger.record({reserved.id: run.image_sha256}, "built")
    run.device, run.public = reserved.id, reserved.draft.public
    image = FactoryImage(plain, tuple(spec.items(reserved.draft)))
    run.image = image.encrypted(run.identities.keys)
    return f"device {reserved.id}, {'the same with fresh secrets' if found.device else 'new'}"


def plan_identity(run: Run) -> str:
    """Say which identity the device would get; nobody gets one. Its image is an example's."""
    assert run.identities
    found = find_device(run)
    if found.is_whole:
        return keep(run, found)
    draft = example(run.identities.spec)
    run.image = FactoryImage(run.identities.maker(draft), tuple(run.identities.spec.items(draft)))
    run.image = run.image.encrypted(run.identities.keys)
    return (
        f"would be device {found.device.id}, with fresh secrets" if found.device else "would be a new device"
    )


def recognise(run: Run) -> str:
    """The device as the ledger has it. Raises DeviceError when it is none, or has not what it was given."""
    found = find_device(run)
    if not found.device:
        raise DeviceError("the ledger has no such device", hint="give it an identity: fctry provision")
    if not found.is_whole:
        raise DeviceError(
            f"device {found.device.id} does not hold the image that it was given",
            hint="put it in again: fctry provision gives it the same public values with fresh secrets",
        )
    return f"{keep(run, found)}: {found.device.state}"


def check_label(run: Run) -> str:
    """Compare the label that is scanned with the device that is proven. It may say a secret, and is not shown."""
    text = run.label or (run.scan() if run.scan else "")
    if not text:
        raise DeviceError("no label was scanned", hint="try the device again: it keeps its identity")
    device = device_of_label(run, text)
    if device.id != run.device:
        raise DeviceError(
            f"the label is that of device {device.id}, this is device {run.device}",
            hint="put on the right label, and try the device again: it keeps its identity",
        )
    return f"that of device {device.id}"


def _check_label_lasts(run: Run, device: Device) -> None:
    """Raise DeviceError where the label of a device that gets fresh secrets says one of its old ones."""
    assert run.identities
    spec = run.identities.spec
    secret = {name for one in spec.fields if one.is_secret for name in (one.name, one.key)}
    said = {name for _, name in spec.label.names()} if spec.label else set()
    is_public = any(_letters(text) in _letters(run.label) for text in device.public.values())
    if said & secret or not is_public:
        raise DeviceError(
            f"its label says {', '.join(sorted(said & secret)) or 'a secret'}, which would be drawn anew: "
            "nobody here can read the old one",
            hint="write the image that was made with the label (fctry flash), or print labels of devices that are "
            "proven, and scan them with --scan after",
        )


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def record_flashed(run: Run) -> str:
    """Write down that the device holds its image."""
    assert run.identities
    assert run.device is not None
    run.identities.ledger.record({run.device: None}, "flashed")
    return "flashed"


def record_proven(run: Run) -> str:
    """Have it written down, together with the record, that its firmware proved to have it."""
    run.state = "proven"
    return run.state


def _bind(run: Run) -> None:
    assert run.identities
    assert run.device is not None
    run.identities.ledger.bind(run.device, **numbers(run))
