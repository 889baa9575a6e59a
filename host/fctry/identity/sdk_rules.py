"""What can be wrong with factory data that an SDK reads: it finds nothing there, or cannot write what it wants to."""

from __future__ import annotations

from collections.abc import Iterator

from fctry.errors import InputError
from fctry.findings import ERROR, WARNING, Finding
from fctry.identity.spec import Field, Spec
from fctry.identity.spec_example import example
from fctry.identity.spec_rules import Room, SpecRule
from fctry.nvs.item import Value
from fctry.nvs.sdks import SDKS, Read, read_of


def _read_by_sdk(spec: Spec) -> Iterator[tuple[Field, str, Read]]:
    """The fields that an SDK reads, with its name."""
    for one in spec.fields:
        if found := read_of(one.namespace, one.key):
            yield one, *found


@SpecRule("spec-sdk-type", ERROR, "a type that the SDK does not read")
def sdk_type(spec: Spec, room: Room) -> Iterator[Finding]:
    for one, sdk, read in _read_by_sdk(spec):
        if one.type is not read.type:
            message = f"{sdk} looks for a {read.type.value}, and not for a {one.type.value}"
            yield sdk_type.at(one, message, f"its encoding is {read.encodings}")


@SpecRule("spec-sdk-size", ERROR, "a size that the SDK does not take")
def sdk_size(spec: Spec, room: Room) -> Iterator[Finding]:
    """Tried with the first and the last device."""
    try:
        drafts = [example(spec, last=last) for last in (False, True)]
    except InputError:  # told as spec-source or spec-value
        return
    values = [{**draft.values, **draft.secrets} for draft in drafts]
    for one, sdk, read in _read_by_sdk(spec):
        sizes = {_size_bytes(device[one.name]) for device in values if one.name in device}
        if wrong := [
            size for size in sizes if size is not None and not read.smallest <= size <= read.largest
        ]:
            wanted = " to ".join(str(size) for size in sorted({read.smallest, read.largest}))
            yield sdk_size.at(one, f"{sdk} takes {wanted} bytes, and not {wrong[0]}", "correct its source")


def _size_bytes(value: Value) -> int | None:
    if isinstance(value, str):
        return len(value.encode(errors="surrogateescape"))
    return len(value) if isinstance(value, bytes) else None


@SpecRule("spec-sdk-partition", WARNING, "another partition than the one that the SDK reads")
def sdk_partition(spec: Spec, room: Room) -> Iterator[Finding]:
    if room.sdkconfig is None or not room.label:
        return
    for namespace in dict.fromkeys(one.namespace for one in spec.fields if one.namespace in SDKS):
        sdk = SDKS[namespace]
        label = room.sdkconfig.text(sdk.label_option, sdk.label)
        if label != room.label:
            message = f"{sdk.name} reads {namespace} from the partition {label!r}, and this is {room.label!r}"
            hint = f'say {sdk.label_option}="{room.label}", or make {label!r} the factory partition'
            yield sdk_partition.at(spec, message, hint)


@SpecRule("spec-sdk-write", ERROR, "a readonly partition that the SDK writes to")
def sdk_write(spec: Spec, room: Room) -> Iterator[Finding]:
    for namespace, sdk in SDKS.items():
        keys = [one.key for one in spec.fields if one.namespace == namespace]
        missing = [key for key in sdk.claimed if key not in keys]
        if room.read_only and keys and missing:
            message = f"{sdk.name} writes {', '.join(missing)} into it when the device is claimed"
            yield sdk_write.at(spec, message, f"give each device all of {', '.join(sdk.claimed)}")
        is_here = room.sdkconfig and room.sdkconfig.values.get(sdk.label_option) == room.label
        if room.read_only and not keys and sdk.makes_namespace and is_here:
            message = (
                f"{sdk.name} makes the namespace {namespace} in it when it is not there, and does not start"
            )
            yield sdk_write.at(spec, message, f"give each device its {namespace}")
