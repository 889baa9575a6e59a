"""Which device of the ledger this is: by what its chip says, by what is in its factory partition, by its label."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fctry import nvs
from fctry.device.console import Console
from fctry.device.deadline import Deadline
from fctry.errors import DeviceError, FormatError, InputError
from fctry.identity.draft import Context
from fctry.identity.images import ImageMaker
from fctry.identity.recognition import scanned
from fctry.identity.spec import Spec, shown
from fctry.nvs.encryption import Keys
from fctry.nvs.factory_image import FactoryImage
from fctry.nvs.item import Item, with_secrets
from fctry.provision.run import Run

if TYPE_CHECKING:  # SQLAlchemy is for those who have a ledger: tests of a device have none
    from fctry.identity.ledger import Device, Ledger, Product


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
        from fctry.identity.ledger import Product

        return Product(self.spec.product, self.spec.sha256)


@dataclass(frozen=True)
class Found:
    """What is known of a device: None when the ledger has it not. `held` is what its partition holds."""

    device: Device | None
    held: bytes
    is_whole: bool


def find_device(run: Run) -> Found:
    """The device that this is. Raises DeviceError for data of another device, or of nobody's."""
    assert run.identities
    known = _device_of_chip(run, run.identities.ledger)
    held, texts = _held(run)
    device = _agreed(run, known, _owner(run.identities.ledger, texts), is_blank=not held and not texts)
    device = _of_label(run, device) if run.label else device
    if device and _is_other_chip(run, device):
        device = None
    is_whole = bool(device and held and _is_whole(run.identities, device, held))
    return Found(device, held, is_whole)


def keep(run: Run, found: Found) -> str:
    """The device gets what it has."""
    assert run.identities
    assert found.device
    device = found.device
    run.device, run.public, run.image_sha256 = device.id, device.public, device.image_sha256 or ""
    run.image = FactoryImage(found.held, tuple(_items(run.identities, found.held)))
    return f"device {device.id}, as it is"


def numbers(run: Run) -> dict[str, str]:
    """What the chip is known by."""
    one = run.identity
    return {"mac": one.known_mac, "unique_id": one.unique_id, "flash_id": one.flash_id}


def _device_of_chip(run: Run, ledger: Ledger) -> Device | None:
    """The device that is this chip. Raises DeviceError when a chip that cannot be it has one of its numbers."""
    said = numbers(run)
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


def check_still_new(run: Run) -> None:
    """Raise DeviceError when another slot has given a chip with one of these numbers an identity meanwhile.

    To be called in the turn that hands one out: doubled MAC addresses come on one reel, and are put in together.
    """
    assert run.identities
    if device := _device_of_chip(run, run.identities.ledger):
        raise DeviceError(
            f"this chip has just become device {device.id}, in another slot",
            hint="is one board connected to two of the ports? Then name it once",
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
    is_ours = known and (run.is_reworked or known.state != "proven")
    if not (is_blank or owner or is_ours or run.is_forced):
        raise DeviceError(
            f"the partition '{run.partition.name}' holds data of no device in the ledger",
            hint="is it the right device, and the right ledger? What it holds is lost with --force, "
            "or with --rework if the ledger knows its chip",
        )
    return owner or known


def _of_label(run: Run, device: Device | None) -> Device:
    """The device of the label that was scanned before. Raises DeviceError when this is another one."""
    labelled = device_of_label(run, run.label)
    if device and device.id != labelled.id:
        raise DeviceError(
            f"this is device {device.id}, the label is that of device {labelled.id}",
            hint="labels were mixed up: set both devices aside",
        )
    return labelled


def device_of_label(run: Run, text: str) -> Device:
    """The device of a label. Raises DeviceError when it is nobody's."""
    assert run.identities
    found = scanned(run.identities.ledger, text)
    if len(found) != 1:
        raise DeviceError(
            f"{len(found) or 'no'} devices in the ledger have this label",
            hint="a label says a unique value of a device, such as its serial number: fctry ledger find",
        )
    return found[0]


def _is_other_chip(run: Run, device: Device) -> bool:
    """Whether the identity has been given to another chip, and this one is to get one of its own.

    Raises DeviceError, unless that is said: copies are to be found.
    """
    assert run.identities
    differing = _differing(run.identities.ledger.chip_of(device.id), numbers(run))
    if not differing or run.is_reworked:
        return False
    if run.is_forced and not run.label:
        return True
    raise DeviceError(
        f"device {device.id} is another chip, which differs in {', '.join(differing)}",
        hint="its data or its label were copied: set this one aside. If its board was exchanged, --rework takes the "
        "identity along; --force gives this one an identity of its own",
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
