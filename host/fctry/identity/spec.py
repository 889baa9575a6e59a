"""The factory spec: what each device of a product gets, and a device's values drawn from it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fctry.errors import InputError
from fctry.identity.draft import Claim, Context, CounterRange, Draft
from fctry.identity.sources.source import Drawn, Given, Part, Source
from fctry.identity.spec_label import SpecLabel
from fctry.nvs.encodings import ENCODINGS_TEXT, parser_of
from fctry.nvs.format import STRING_SIZE_BYTES_MAX
from fctry.nvs.item import (
    PACKER_ERRORS,
    PACKERS,
    Item,
    ItemType,
    Value,
    check_size,
    value_error,
)

SECRETS_NAMESPACE = "secrets"


@dataclass(frozen=True)
class Field:
    """One value of each device. Without a namespace it is not in the image: a note, for manifest and label.

    `source` is `name` or `name.part`. `scope` is what it must be unique in, or nothing. `default` is the
    content of a file-based spec's own cell, for devices that bring none.
    """

    namespace: str
    key: str
    encoding: str
    source: str
    scope: str = ""
    is_secret: bool = False
    is_optional: bool = False
    file: Path | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    @cached_property
    def name(self) -> str:
        """`namespace:key`, or the name of a note."""
        return f"{self.namespace}:{self.key}" if self.namespace else self.key

    @cached_property
    def _parser(self) -> tuple[ItemType, Callable[[bytes], Value], Callable[[Value], bytes]]:
        try:
            item_type, parse = parser_of(self.encoding)
        except LookupError:
            raise self.refusal(
                f"unknown encoding {self.encoding!r}", f"encodings are {ENCODINGS_TEXT}"
            ) from None
        return item_type, parse, PACKERS[item_type]

    @property
    def type(self) -> ItemType:
        """Raises InputError for an unknown encoding."""
        return self._parser[0]

    def refusal(self, message: str, hint: str) -> InputError:
        """An error about this field that names its place."""
        return InputError(f"{self.name}: {message}", hint=hint, file=self.file, line=self.line)

    def parse(self, drawn: Drawn) -> Value:
        """The value that is stored. Raises InputError, which does not tell the value."""
        _, parse, pack = self._parser
        try:
            value = parse(drawn if isinstance(drawn, bytes) else drawn.encode())
        except ValueError as error:
            raise self.refusal(str(error), f"correct its source, or its encoding {self.encoding!r}") from None
        try:
            packed = pack(value)
        except PACKER_ERRORS:
            raise value_error(self.item(value)) from None
        if len(packed) > STRING_SIZE_BYTES_MAX:  # an item costs as much as all that was done so far
            check_size(self.item(value), len(packed))
        return value

    def drawn(self, value: Value) -> Drawn:
        """What a source drew for a value: the other way round."""
        encoding = self.encoding.lower()
        if isinstance(value, bytes) and encoding == "hex2bin":
            return value.hex()
        if isinstance(value, bytes) and encoding == "base64":
            return b64encode(value)
        return value if isinstance(value, bytes) else str(value)

    def item(self, value: Value) -> Item:
        return Item(
            self.namespace, self.key, self.type, value, self.file, self.line, is_secret=self.is_secret
        )


@dataclass(frozen=True)
class Spec:
    """A product. `fields` are in the order of the image, notes behind them.

    `count` is how many devices it shall do for, or 0; `sha256` is that of its files.
    """

    product: str
    fields: tuple[Field, ...]
    sources: Mapping[str, Source]
    secret_namespaces: tuple[str, ...] = (SECRETS_NAMESPACE,)
    count: int = 0
    file: Path = Path("factory.toml")
    sha256: str = ""
    label: SpecLabel | None = None

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The sources that something is drawn from, each behind those that it refers to."""
        order: dict[str, None] = {}
        for one in self.fields:
            self._visit(one.source.partition(".")[0], (), order)
        return tuple(order)

    @cached_property
    def _parts(self) -> Mapping[str, frozenset[str]]:
        """What is used of each source."""
        references = [one.source for one in self.fields]
        references += [one for name in self.used for one in self.sources[name].references]
        parts: dict[str, set[str]] = {name: set() for name in self.used}
        for name, _, part in (one.partition(".") for one in references):
            parts[name].add(part)
        return {name: frozenset(some) for name, some in parts.items()}

    def _visit(self, name: str, above: tuple[str, ...], order: dict[str, None]) -> None:
        if name in above:
            circle = " → ".join((*above[above.index(name) :], name))
            raise InputError(
                f"sources go in a circle: {circle}", hint="let one of them go first", file=self.file
            )
        if name not in order:
            for reference in self.sources[name].references:
                self._visit(reference.partition(".")[0], (*above, name), order)
            order[name] = None

    @cached_property
    def _folder(self) -> Path:
        return self.file.parent

    @cached_property
    def counters(self) -> Mapping[str, CounterRange]:
        """Counter -> the numbers that it hands out."""
        found = {self._counter_of(name): self.sources[name].counter for name in self.used}
        return {name: numbers for name, numbers in found.items() if numbers}

    def _counter_of(self, source: str) -> str:
        """What a counter is called in the ledger: products can share a block of addresses, and else share nothing."""
        return self.sources[source].shared_counter or f"{self.product}/{source}"

    def source_of(self, reference: str) -> tuple[Source, str]:
        """The source of `name` or `name.part`, and the part."""
        name, _, part = reference.partition(".")
        return self.sources[name], part

    def part_of(self, reference: str) -> Part:
        """What `name` or `name.part` draws: as secret as whatever it is made of."""
        source, name = self.source_of(reference)
        part = source.PARTS[name]
        is_secret = part.is_secret or any(self.part_of(one).is_secret for one in source.references)
        return Part(part.text, is_secret, part.is_text)

    def capacity_of(self, reference: str) -> int | None:
        """How many different values there are, for all that is known."""
        source, part = self.source_of(reference)
        own = source.capacity(part)
        if source.counter or not source.references or own is not None:
            return own
        capacity = 1
        for one in source.references:
            factor = self.capacity_of(one)
            if factor is None:
                return None
            capacity *= factor
        return capacity

    def is_random(self, reference: str) -> bool:
        """Whether it is another value when it is drawn again."""
        source, _ = self.source_of(reference)
        return source.is_random or any(map(self.is_random, source.references))

    def is_given(self, reference: str) -> bool:
        """Whether it is what somebody has given, and neither counted nor drawn."""
        source, _ = self.source_of(reference)
        return not source.is_random and not source.counter and all(map(self.is_given, source.references))

    def value_of(self, one: Field, draft: Draft) -> Value | None:
        """What a device has of a field; None if it is without."""
        for values in (draft.values, draft.secrets):
            if one.name in values:
                return values[one.name]
        return draft.public.get(self.public_names[one.name])

    @cached_property
    def _random(self) -> frozenset[str]:
        return frozenset(one.source for one in self.fields if self.is_random(one.source))

    def draw(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Value] = MappingProxyType({})
    ) -> Draft:
        """A device's values; see `Drawer`. Raises InputError for what is missing or does not do as its field says.

        Of `kept`, what belongs together with a secret is drawn anew with it: a certificate with its key.
        """
        held = self._kept(kept) if kept else {}
        drawn = self.draw_sources(counters, context, held)
        values: dict[str, Value] = {}
        public: dict[str, str] = {}
        secrets: dict[str, Value] = {}
        claims: list[Claim] = []
        for one, name, public_name in self._named_fields:
            content = drawn.get(one.source)
            if content is None:
                if not one.is_optional:
                    raise one.refusal(
                        "this device has no value for it",
                        f"give it one, or say `optional = true`, with two CSVs --optional {one.key}",
                    )
                continue
            value = kept[name] if one.source in held and name in kept else one.parse(content)
            if one.is_secret:
                secrets[name] = value
            else:
                public[public_name] = value if isinstance(value, str) else shown(value)
                if one.namespace:
                    values[name] = value
            if one.scope:
                is_random = one.source in self._random
                claims.append(Claim(one.scope, canonical(value), is_random, one.is_secret))
        if self._is_shared:
            self._check_differing(claims)
        return Draft(values, secrets, public, tuple(claims))

    @cached_property
    def _is_shared(self) -> bool:
        """Whether fields of one device must differ from each other."""
        scopes = [one.scope for one in self.fields if one.scope]
        return len(set(scopes)) < len(scopes)

    def _check_differing(self, claims: Sequence[Claim]) -> None:
        """Raise InputError for fields that must differ and do not; a random one is drawn anew, by the ledger."""
        seen = set()
        for one in claims:
            if not one.is_random and (one.scope, one.value) in seen:
                raise InputError(
                    f"two fields of a device have the same value, and must differ in {one.scope!r}",
                    hint="give one of them another source, or another scope",
                    file=self.file,
                )
            seen.update([] if one.is_random else [(one.scope, one.value)])

    def draw_each(self, counters: Sequence[Mapping[str, int]], contexts: Sequence[Context]) -> list[Draft]:
        """A device for each of these, in order."""
        return list(map(self.draw, counters, contexts))

    def prepare(self) -> Mapping[str, Any]:
        """What takes long to make for a device, by the name of its source. See `Preparer`."""
        return {name: self.sources[name].prepare(self._parts[name]) for name in self._slow}

    @cached_property
    def _slow(self) -> tuple[str, ...]:
        return tuple(name for name in self.used if type(self.sources[name]).prepare is not Source.prepare)

    def draw_sources(
        self, counters: Mapping[str, int], context: Context, kept: Mapping[str, Drawn] = MappingProxyType({})
    ) -> Mapping[str, Drawn]:
        """What each source has drawn for a device, by `name` or `name.part`. Raises InputError."""
        drawn: dict[str, Drawn] = {}
        simple = Given(0, context, drawn, self._folder)
        prepared = context.prepared
        for name, source, counter in self._drawing:
            given = simple
            if counter or name in prepared or name in self._slow:
                number = counters.get(counter, 0)
                given = Given(number, context, drawn, self._folder, prepared.get(name), self._parts[name])
            try:
                parts = source.draw(given)
            except InputError as error:
                message = f"source {name}: {error.message}"
                raise InputError(message, hint=error.hint, file=self.file) from None
            for part, value in parts.items():
                reference = f"{name}.{part}" if part else name
                drawn[reference] = kept.get(reference, value)
        return drawn

    @cached_property
    def _drawing(self) -> tuple[tuple[str, Source, str], ...]:
        """The sources in use by name, and the counter of each, or nothing."""
        return tuple(
            (name, source, self._counter_of(name) if source.counter else "")
            for name in self.used
            for source in (self.sources[name],)
        )

    def _kept(self, kept: Mapping[str, Value]) -> Mapping[str, Drawn]:
        """What sources have drawn for these values, but for those sources that draw secrets too."""
        return {
            one.source: one.drawn(kept[one.name])
            for one in self.fields
            if one.name in kept
            and not any(part.is_secret for part in self.source_of(one.source)[0].PARTS.values())
        }

    @cached_property
    def public_names(self) -> Mapping[str, str]:
        """Name of a field -> its key, or the whole name where two fields have that key."""
        keys = [one.key for one in self.fields]
        return {one.name: one.key if keys.count(one.key) == 1 else one.name for one in self.fields}

    @cached_property
    def _named_fields(self) -> tuple[tuple[Field, str, str], ...]:
        return tuple((one, one.name, self.public_names[one.name]) for one in self.fields)

    @cached_property
    def _stored(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields if one.namespace)

    def stored(self, draft: Draft) -> dict[str, Value]:
        """What goes into a device's image, by `namespace:key`, in the order of the spec."""
        both = {**draft.values, **draft.secrets} if draft.secrets else draft.values
        if tuple(both) == self._stored:  # as `draw` makes it of most
            return dict(both)
        return {name: both[name] for name in self._stored if name in both}

    def items(self, draft: Draft) -> list[Item]:
        """What goes into a device's image, in the order of the spec."""
        stored = self.stored(draft)
        return [one.item(stored[one.name]) for one in self.fields if one.name in stored]


def canonical(value: Value) -> bytes:
    """The bytes that a value is compared by."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogateescape")


def shown(value: Value) -> str:
    """A value as text for people and manifests: bytes as hexadecimal digits."""
    return value.hex() if isinstance(value, bytes) else str(value)
