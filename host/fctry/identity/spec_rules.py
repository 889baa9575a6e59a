"""What can be wrong with a spec before the first device: too large, too few, the same twice, given away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import gcd
from typing import TYPE_CHECKING

from fctry.errors import InputError
from fctry.findings import ERROR, INFO, WARNING, Finding, Rule
from fctry.identity.sources.computed import Computed
from fctry.identity.sources.mac import Mac
from fctry.identity.sources.serial import Serial
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
        told = {one.message for rule in (name, source, value, collision) for one in rule.find(spec, room)}
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
    for first, second in combinations([one for one in spec.fields if one.scope], 2):
        if first.scope == second.scope and _same(spec, first.source, second.source):
            message = f"has the same values as {first.name}, from which it must differ"
            yield collision.at(second, message, "give it another source, or another scope")
    blocks = [(name, one) for name in spec.used if isinstance(one := spec.sources[name], Mac)]
    for (one_name, one), (other_name, other) in combinations(blocks, 2):
        if one.addresses[0] <= other.addresses[1] and other.addresses[0] <= one.addresses[1]:
            message = f"sources {one_name} and {other_name} have addresses in common"
            yield collision.at(spec, message, "give each a block of its own, or draw both from one source")


def _same(spec: Spec, one: str, other: str) -> bool:
    """Whether two sources that are neither drawn at random nor given have a value in common, as far as that is seen."""
    if one == other:
        return True
    sources = [spec.source_of(reference)[0] for reference in (one, other)]
    if all(isinstance(each, Serial) for each in sources):
        return _overlap(*(each for each in sources if isinstance(each, Serial)))
    if any(spec.is_random(reference) or spec.is_given(reference) for reference in (one, other)):
        return False
    try:
        devices = [
            spec.draw_sources(numbers(spec, last=last), example_context(spec)) for last in (False, True)
        ]
    except InputError:  # told as spec-source
        return False
    return any(device[one] == device[other] for device in devices if one in device and other in device)


def _overlap(one: Serial, other: Serial) -> bool:
    """Whether two counters that are written alike have a number in common."""
    between, common = other.first - one.first, gcd(one.step, other.step)
    if one.template != other.template or one.check != other.check or between % common:
        return False
    turn = other.step // common
    met = one.first + one.step * (between // common * pow(one.step // common, -1, turn) % turn)
    behind = max(one.first, other.first) - met
    met += (
        -(-behind // (one.step * turn)) * one.step * turn
    )  # the first one that is in both ranges, or behind them
    return met <= min(one.last, other.last)


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
        if one.is_secret and spec.capacity_of(one.source) != 1 and (reason := _weakness(spec, one.source)):
            hint = "draw it, or say `secret = false` of what is none"
            if spec.is_random(one.source):
                hint = "make it longer, or lower its floor_bits and say why"
            yield weak.at(one, f"a secret with {reason}", hint)


def _weakness(spec: Spec, reference: str) -> str:
    """Why what is drawn can be guessed, or nothing: a text with others in it is as strong as the strongest of them."""
    drawer = spec.source_of(reference)[0]
    if not isinstance(drawer, Computed | Serial) or not drawer.references:
        return drawer.weakness()
    reasons = [_weakness(spec, one) for one in drawer.references]
    return reasons[0] if all(reasons) else ""


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
