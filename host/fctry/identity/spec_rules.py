"""What can be wrong with a spec before the first device: too large, too few, the same twice, given away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.findings import ERROR, INFO, WARNING, Finding, Rule
from fctry.identity.sources.constant import Constant
from fctry.identity.sources.mac import Mac
from fctry.identity.sources.station import AtStation
from fctry.identity.spec import Field, Spec
from fctry.identity.spec_example import example, example_context, numbers
from fctry.nvs.capacity import measure
from fctry.nvs.item import pack_name

if TYPE_CHECKING:
    from fctry.partitions.sdkconfig import Sdkconfig

DERIVED_ADDRESSES = "CONFIG_ESP_MAC_UNIVERSAL_MAC_ADDRESSES"


@dataclass(frozen=True)
class Room:
    """The partition that the images are for, if it is known, and how many devices there shall be (0: not said).

    `label` is its name, `sdkconfig` that of the firmware that reads it.
    """

    size_bytes: int | None = None
    read_only: bool = False
    count: int = 0
    label: str = ""
    sdkconfig: Sdkconfig | None = None

    @property
    def derived(self) -> int | None:
        """How many addresses the firmware derives from its base MAC, where its sdkconfig says so."""
        return self.sdkconfig.number(DERIVED_ADDRESSES) if self.sdkconfig else None


class SpecRule(Rule[Spec, Room]):
    """A rule for specs."""

    def at(self, one: Field | Spec, message: str, hint: str) -> Finding:
        """A breach by a field, or by the spec as a whole."""
        if isinstance(one, Spec):
            return Finding(self, self.severity, message, hint, str(one.file))
        return Finding(
            self, self.severity, f"{one.name}: {message}", hint, str(one.file or ""), one.line or 0
        )


@SpecRule("spec-name", ERROR, "a key or a namespace that NVS cannot hold")
def name(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if one.namespace:
            for text, what in ((one.namespace, "namespace"), (one.key, "key")):
                try:
                    pack_name(text, what)
                except InputError as error:
                    yield name.at(one, error.message, error.hint)


@SpecRule("spec-source", ERROR, "a source that cannot draw")
def source(spec: Spec, room: Room) -> Iterator[Finding]:
    try:
        spec.draw_sources(numbers(spec), example_context(spec))
    except InputError as error:
        yield source.at(spec, error.message, error.hint)


@SpecRule("spec-value", ERROR, "a value that its encoding does not take")
def value(spec: Spec, room: Room) -> Iterator[Finding]:
    """Tried with the first and the last device, and with the ends of random numbers."""
    try:
        devices = [
            spec.draw_sources(numbers(spec, last=last), example_context(spec)) for last in (False, True)
        ]
    except InputError:  # told as spec-source
        return
    for one in spec.fields:
        drawn = [device[one.source] for device in devices if one.source in device]
        for content in (*drawn, *spec.source_of(one.source)[0].ends):
            try:
                one.parse(content)
            except InputError as error:
                yield value.at(one, error.message.removeprefix(f"{one.name}: "), error.hint)
                break


@SpecRule("spec-room", ERROR, "more than the partition holds")
def size(spec: Spec, room: Room) -> Iterator[Finding]:
    if room.size_bytes is None:
        return
    try:
        items = spec.items(example(spec, last=True))
        used = measure(items, room.size_bytes, read_only=room.read_only)
    except InputError as error:
        told = {one.message for rule in (name, source, value) for one in rule.find(spec, room)}
        if not told:
            yield size.at(spec, error.message, error.hint)
        return
    if not used.fits:
        yield size.at(
            spec,
            f"a device takes {used.entries_used} of {used.entries_total} entries",
            f"the smallest partition that holds it has {used.smallest_size_bytes:#x} bytes",
        )


@SpecRule("spec-capacity", ERROR, "a source that cannot serve as many devices")
def capacity(spec: Spec, room: Room) -> Iterator[Finding]:
    """A field that is unique needs a value for each device, one that counts a number."""
    count = room.count or spec.count or 2
    for one in spec.fields:
        have = spec.capacity_of(one.source)
        if have is not None and have < count and (one.scope or spec.source_of(one.source)[0].counter):
            message = f"its source serves {have:,} devices" + (f" of {count:,}" if count > 2 else "")
            yield capacity.at(one, message, "enlarge its range, or make it not unique")


@SpecRule("spec-crowded", WARNING, "random values that will often be taken already")
def crowded(spec: Spec, room: Room) -> Iterator[Finding]:
    count = room.count or spec.count
    for one in spec.fields:
        have = spec.capacity_of(one.source)
        if one.scope and have and spec.is_random(one.source) and have // 2 < count <= have:
            message = f"{count:,} devices shall have one of {have:,} values, drawn at random"
            yield crowded.at(one, message, "enlarge its range, or count instead")


@SpecRule("spec-not-unique", WARNING, "a number of its own that nobody keeps unique")
def not_unique(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if one.namespace and not one.scope and spec.source_of(one.source)[0].counter:
            yield not_unique.at(one, "comes from a counter and is not unique", "say `unique = true`")


@SpecRule("spec-collision", ERROR, "sources that draw the same values")
def collision(spec: Spec, room: Room) -> Iterator[Finding]:
    for first, second in combinations(spec.fields, 2):
        if first.scope and first.scope == second.scope and first.source == second.source:
            message = f"has the same value as {first.name}, from which it must differ"
            yield collision.at(second, message, "give it another source, or another scope")
    blocks = [(name, one) for name in spec.used if isinstance(one := spec.sources[name], Mac)]
    for (one_name, one), (other_name, other) in combinations(blocks, 2):
        if one.addresses[0] <= other.addresses[1] and other.addresses[0] <= one.addresses[1]:
            message = f"sources {one_name} and {other_name} have addresses in common"
            yield collision.at(spec, message, "give each a block of its own, or draw both from one source")


@SpecRule("spec-mac-step", ERROR, "fewer addresses for a device than its firmware uses")
def mac_step(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.used:
        drawer = spec.sources[one]
        if isinstance(drawer, Mac) and room.derived and drawer.stride < room.derived:
            message = (
                f"source {one} gives each device {drawer.stride}, and the sdkconfig has it use {room.derived}"
            )
            yield mac_step.at(
                spec, message, f"say `step = {room.derived}`, or no two devices differ in all of them"
            )


@SpecRule("spec-secret-place", ERROR, "a secret outside of the namespaces for secrets")
def secret_place(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if one.namespace and one.is_secret and one.namespace not in spec.secret_namespaces:
            hint = f"firmware reports whole namespaces: secrets go into {', '.join(spec.secret_namespaces)}"
            yield secret_place.at(one, "is secret, and its namespace is not", hint)


@SpecRule("spec-secret-shown", ERROR, "a secret that the spec does not call one")
def secret_shown(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if not one.is_secret and spec.part_of(one.source).is_secret:
            hint = "say `secret = true`; of a field, put it into a namespace for secrets"
            yield secret_shown.at(one, f"its source {one.source} draws a secret", hint)


@SpecRule("spec-weak", ERROR, "a secret that can be guessed")
def weak(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        drawer = spec.source_of(one.source)[0]
        if (reason := drawer.weakness()) and one.is_secret and not isinstance(drawer, Constant):
            yield weak.at(
                one, f"a secret with {reason}", "make it longer, or lower its floor_bits and say why"
            )


@SpecRule("spec-same-secret", WARNING, "a secret that all devices share")
def same_secret(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if one.is_secret and spec.capacity_of(one.source) == 1:
            yield same_secret.at(
                one, "the same on every device", "who opens one device has them all: draw it"
            )


@SpecRule("spec-unused", WARNING, "a source that nothing is drawn from")
def unused(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.sources:
        if one not in spec.used:
            yield unused.at(spec, f"source {one} is not used", "remove it, or name it in a field")


@SpecRule("spec-station", INFO, "known at the station, and not before")
def station(spec: Spec, room: Room) -> Iterator[Finding]:
    for one in spec.fields:
        if isinstance(spec.source_of(one.source)[0], AtStation):
            yield station.at(one, "is known at the station only", "images of it cannot be made before")
