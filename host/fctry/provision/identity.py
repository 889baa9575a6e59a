"""Which device this is: the ledger's answer, by what its chip says and by what is in its factory partition."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fctry import nvs
from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.errors import DeviceError, FormatError, InputError
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.ledger import Device, Ledger, Product
from fctry.identity.recognition import scanned
from fctry.identity.spec import Spec, shown
from fctry.nvs.encryption import Keys
from fctry.nvs.factory_image import FactoryImage
from fctry.nvs.item import Item, with_secrets
from fctry.provision.run import Run


@dataclass(frozen=True)
class Identities:
    """Where identities come from. `keys` are those of encrypted factory partitions."""

    ledger: Ledger
    spec: Spec
    maker: ImageMaker
    context: Context
    keys: Keys | None = None

    @property
    def product(self) -> Product:
        """What the ledger knows the spec by."""
        return Product(self.spec.product, self.spec.sha256)


def choose_identity(run: Run) -> str:
    """The identity that this device has already, else a new one; its image is made, and the ledger knows its chip.

    What is whole on the device stays. Otherwise a known device gets the same public values with fresh secrets, since
    nobody here can read the old ones. Raises DeviceError for data of another device, or of nobody's.
    """
    assert run.identities
    known = _device_of_chip(run, run.identities.ledger)
    held, texts = _held(run)
    device = _agreed(run, known, _owner(run.identities.ledger, texts), is_blank=not held and not texts)
    device = _of_label(run, device) if run.label else device
    if device:
        _refuse_other_chip(run, device)
    if device and held and _is_whole(run.identities, device, held):
        run.device, run.public, run.image_sha256 = device.id, device.public, device.image_sha256 or ""
        run.image = FactoryImage(held, tuple(_items(run.identities, held)))
        _bind(run)
        return f"device {device.id}, as it is"
    ledger, spec = run.identities.ledger, run.identities.spec
    context = replace(
        run.identities.context,
        station={**run.identities.context.station, "mac": run.identity.mac},
        prepared=spec.prepare(),  # before the ledger waits for it
    )
    if not known:
        _read_again(run)
    if device:
        reserved = ledger.renew(device.id, spec, context)
    else:
        (reserved,) = ledger.reserve(run.identities.product, spec, [context])
    run.device, run.public = reserved.id, reserved.draft.public
    _bind(run)
    plain = run.identities.maker(reserved.draft)
    run.image_sha256 = hashlib.sha256(plain).hexdigest()
    ledger.record({reserved.id: run.image_sha256}, "built")
    image = FactoryImage(plain, tuple(spec.items(reserved.draft)))
    run.image = image.encrypted(run.identities.keys)
    return f"device {reserved.id}, {'the same with fresh secrets' if device else 'new'}"


def check_label(run: Run) -> str:
    """Compare the label that is scanned with the device that is proven. It may say a secret, and is not shown."""
    text = run.label or (run.scan() if run.scan else "")
    if not text:
        raise DeviceError("no label was scanned", hint="try the device again: it keeps its identity")
    device = _labelled(run, text)
    if device.id != run.device:
        raise DeviceError(
            f"the label is that of device {device.id}, this is device {run.device}",
            hint="put on the right label, and try the device again: it keeps its identity",
        )
    return f"that of device {device.id}"


def record_flashed(run: Run) -> str:
    """Write down that the device holds its image."""
    return _record(run, "flashed")


def record_proven(run: Run) -> str:
    """Write down that its firmware proved to have it."""
    return _record(run, "proven")


def _record(run: Run, state: str) -> str:
    assert run.identities
    assert run.device is not None
    run.identities.ledger.record({run.device: None}, state)
    return state


def _bind(run: Run) -> None:
    assert run.identities
    assert run.device is not None
    run.identities.ledger.bind(run.device, **_numbers(run))


def _read_again(run: Run) -> None:
    """Before numbers are written down that nobody knows yet: what a chip answers carries no checksum."""
    again = run.chip.identity()
    if again != run.identity:
        raise DeviceError(
            f"the chip's numbers were read twice, and differ: {run.identity}, {again}",
            hint="check the cable, or try a lower baud rate, such as --baud 57600",
        )


def _numbers(run: Run) -> dict[str, str]:
    """What the chip is known by."""
    one = run.identity
    return {"mac": one.known_mac, "unique_id": one.unique_id, "flash_id": one.flash_id}


def _device_of_chip(run: Run, ledger: Ledger) -> Device | None:
    """The device that is this chip. Raises DeviceError when a chip that cannot be it has one of its numbers."""
    said = _numbers(run)
    alive = [one for one in ledger.find_chip(**said) if one.state != "scrapped"]
    same = [one for one in alive if not _differing(ledger.chip_of(one.id), said)]
    if len(same) == 1:
        return same[0]
    if not alive or (run.is_forced and not same):
        return None
    other = alive[0]
    names = _differing(ledger.chip_of(other.id), said) or [name for name, value in said.items() if value]
    raise DeviceError(
        f"several chips have the same number: this one and device {other.id}, which differs in {', '.join(names)}"
        if not same
        else f"several devices are this chip: {', '.join(str(one.id) for one in same)}",
        hint="set it aside. MAC addresses come doubled, and flash chips are exchanged: scrap the device that is gone "
        "(fctry ledger scrap), or give this one an identity of its own with --force",
    )


def _differing(known: Mapping[str, str], said: Mapping[str, str]) -> list[str]:
    """The numbers that both sides know and that are not the same."""
    return [name for name, value in said.items() if value and known.get(name) and known[name] != value]


def _agreed(run: Run, known: Device | None, owner: Device | None, *, is_blank: bool) -> Device | None:
    """The device that chip and data agree on. Raises DeviceError when they do not."""
    if owner and known and owner.id != known.id:
        raise DeviceError(
            f"the chip is that of device {known.id}, the data in it are those of device {owner.id}",
            hint="one of them was copied, or its flash was exchanged: set the device aside",
        )
    if not is_blank and not owner and not run.is_forced and (not known or known.state == "proven"):
        raise DeviceError(
            f"the partition '{run.partition.name}' holds data of no device in the ledger",
            hint="is it the right device, and the right ledger? What it holds is lost with --force",
        )
    return owner or known


def _of_label(run: Run, device: Device | None) -> Device:
    """The device of the label that was scanned before. Raises DeviceError when this is another one."""
    labelled = _labelled(run, run.label)
    if device and device.id != labelled.id:
        raise DeviceError(
            f"this is device {device.id}, the label is that of device {labelled.id}",
            hint="labels were mixed up: set both devices aside",
        )
    return labelled


def _labelled(run: Run, text: str) -> Device:
    """The device of a label. Raises DeviceError when it is nobody's."""
    assert run.identities
    found = scanned(run.identities.ledger, text)
    if len(found) != 1:
        raise DeviceError(
            f"{len(found) or 'no'} devices in the ledger have this label",
            hint="a label says a unique value of a device, such as its serial number: fctry ledger find",
        )
    return found[0]


def _refuse_other_chip(run: Run, device: Device) -> None:
    """Raise DeviceError when the identity has been given to another chip."""
    assert run.identities
    if differing := _differing(run.identities.ledger.chip_of(device.id), _numbers(run)):
        if run.is_forced:
            return
        raise DeviceError(
            f"device {device.id} is another chip, which differs in {', '.join(differing)}",
            hint="its data or its label were copied: set this one aside. If its board was exchanged, give this one the "
            "identity with --force",
        )


def _held(run: Run) -> tuple[bytes, list[str]]:
    """What the partition holds, nothing where it is blank, and the unique values in it, as far as they can be read.

    Of a device in Secure Download mode its firmware tells the values.
    """
    assert run.identities
    scoped = {
        (one.namespace, one.key) for one in run.identities.spec.fields if one.scope and not one.is_secret
    }
    if run.chip.is_secure_download:
        run.chip.reset()
        report = Console(run.chip, run.on_line).report(run.partition.name, Deadline.after(run.timeout_s))
        return b"", [shown(value) for name, value in report.values().items() if name in scoped]
    if run.on_device.is_blank():
        return b"", []
    held = run.on_device.read()
    try:
        items = _items(run.identities, held)
    except (FormatError, InputError):
        return held, []
    return held, [shown(one.value) for one in items if (one.namespace, one.key) in scoped]


def _owner(ledger: Ledger, texts: Sequence[str]) -> Device | None:
    """The device that these unique values were handed out to."""
    owners = {one.id: one for text in texts for one in ledger.find(text)}
    return next(iter(owners.values())) if len(owners) == 1 else None


def _is_whole(identities: Identities, device: Device, held: bytes) -> bool:
    plain = nvs.decrypt(held, identities.keys) if identities.keys else held
    return hashlib.sha256(plain).hexdigest() == device.image_sha256


def _items(identities: Identities, held: bytes) -> list[Item]:
    plain = nvs.decrypt(held, identities.keys) if identities.keys else held
    public = {(one.namespace, one.key) for one in identities.spec.fields if not one.is_secret}
    return with_secrets(nvs.decode(plain), identities.spec.secret_namespaces, public)
