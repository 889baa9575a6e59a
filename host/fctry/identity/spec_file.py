"""`factory.toml`: read into a `Spec`, and the JSON Schema that editors complete and check it with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fctry.identity.sources.kinds import KINDS
from fctry.identity.sources.source import Source
from fctry.identity.spec import SECRETS_NAMESPACE, Field, Spec
from fctry.identity.spec_label import SpecLabel
from fctry.identity.spec_options import (
    Place,
    did_you_mean,
    option,
    read_options,
    read_table,
    schema_of,
)
from fctry.identity.toml_lines import read_toml
from fctry.nvs.encodings import BYTES_ENCODINGS, NUMBER_ENCODINGS

SCHEMA = 1
TABLES = ("sources", "fields", "notes", "label")
SOURCE_TEXT = "where its value comes from: the name of a source, or name.part"
_TEXTS = (*NUMBER_ENCODINGS, "string", *BYTES_ENCODINGS)
_ANY_CASE = "|".join("".join(f"[{one}{one.upper()}]" for one in text) for text in _TEXTS)
ENCODINGS: Mapping[str, Any] = {
    "anyOf": [
        {"enum": list(_TEXTS)},
        {"pattern": f"^({_ANY_CASE})$"},
        {"pattern": r"^[bB][lL][oO][bB]_([sS][zZ]_)?[fF][iI][lL]{2}\([0-9]{1,6};0[xX][0-9A-Fa-f]{2}\)$"},
    ]
}
"""What editors complete, and what is taken beside: as in the generator's CSV, in capitals or not."""


@dataclass(frozen=True)
class ProductOptions:
    """What stands at the top of a spec."""

    schema: int = option("version of this format", minimum=SCHEMA, maximum=SCHEMA)
    product: str = option("what it is called")
    count: int = option("how many devices it shall do for; 0: as many as it can", 0, minimum=0)
    secret_namespaces: tuple[str, ...] = option(
        "hold secrets: firmware proves what is in them, and reports none of it", (SECRETS_NAMESPACE,)
    )


@dataclass(frozen=True)
class NoteOptions:
    """A value for people: in manifest and label, not in the image."""

    source: str = option(SOURCE_TEXT)
    unique: bool | str = option(
        "no two devices have the same; a text names what else it must differ from",
        False,
        schema={"minLength": 1},
    )
    secret: bool = option("kept out of manifest, logs and reports", False)
    optional: bool = option("a device may be without it", False)


@dataclass(frozen=True)
class FieldOptions:
    """A value in the image."""

    encoding: str = option(
        "as in the CSV of ESP-IDF's NVS generator: string, u8 … i64, binary, hex2bin, base64",
        schema=ENCODINGS,
    )
    source: str = option(SOURCE_TEXT)
    unique: bool | str = option(
        "no two devices have the same; a text names what else it must differ from",
        False,
        schema={"minLength": 1},
    )
    secret: bool = option(
        "kept out of manifest, logs and reports (default: what the namespace is for)", False
    )
    optional: bool = option("a device may be without it", False)


def read_spec(path: str | Path) -> Spec:
    """The spec in a file. Raises InputError with file, line and remedy for what means nothing; see `check` too."""
    path = Path(path)
    table, lines = read_toml(path)
    top = Place(lines)
    if "schema" in table and table["schema"] != SCHEMA:
        hint = f"this fctry reads schema = {SCHEMA}: a newer one needs a newer fctry"
        raise top.under("schema").refusal(f"{table['schema']!r} is not known", hint)
    product = read_options(ProductOptions, table, top, ignore=TABLES)
    sources = dict(_sources(table.get("sources", {}), top.under("sources")))
    fields = [
        *_fields(table.get("fields", {}), top.under("fields"), product),
        *_notes(table.get("notes", {}), top.under("notes"), product),
    ]
    if not fields:
        raise top.refusal("no fields", "add one: [fields.fctryNamespace.serial_number]")
    spec = Spec(
        product.product, tuple(fields), sources, product.secret_namespaces, product.count, path, lines.sha256
    )
    if "label" in table:
        known = {*spec.public_names.values(), *(one.name for one in fields)}
        spec = replace(spec, label=_label(table["label"], known, top.under("label")))
    for one in fields:
        at = top.under("fields", one.namespace, one.key) if one.namespace else top.under("notes", one.key)
        _check_reference(spec, one.source, at.under("source"))
    for name, source in sources.items():
        for reference in source.references:
            at = top.under("sources", name)
            holder = next((one for one in ("template", "path", "subject") if hasattr(source, one)), "")
            _check_reference(spec, reference, at.under(holder))
    spec.used  # noqa: B018 raises for sources that go in a circle
    return spec


def _sources(tables: object, place: Place) -> Iterator[tuple[str, Source]]:
    for name, table in read_table(tables, place).items():
        at = place.under(name)
        options = read_table(table, at)
        if not name.isidentifier() or not name.isascii():
            raise at.refusal("is no name for a source", "letters, digits and underscores do")
        kind = options.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            problem = "no kind" if kind is None else f"unknown kind {kind!r}"
            raise (at if kind is None else at.under("kind")).refusal(problem, did_you_mean(str(kind), KINDS))
        yield name, read_options(KINDS[kind], options, at, ignore=("kind",))


def _fields(tables: object, place: Place, product: ProductOptions) -> Iterator[Field]:
    for namespace, keys in read_table(tables, place).items():
        if not namespace:
            raise place.under("").refusal(
                "a namespace without a name", "values that are not in flash are notes"
            )
        for key, table in read_table(keys, place.under(namespace)).items():
            at = place.under(namespace, key)
            said = read_table(table, at)
            options = read_options(FieldOptions, said, at)
            is_secret = said.get("secret", namespace in product.secret_namespaces)
            one = _field(product, (namespace, key, options.encoding), options, is_secret, at)
            one.type  # noqa: B018 raises for an unknown encoding
            yield one


def _notes(tables: object, place: Place, product: ProductOptions) -> Iterator[Field]:
    for name, table in read_table(tables, place).items():
        at = place.under(name)
        options = read_options(NoteOptions, read_table(table, at), at)
        yield _field(product, ("", name, "string"), options, options.secret, at)


def _field(
    product: ProductOptions,
    what: tuple[str, str, str],
    options: FieldOptions | NoteOptions,
    is_secret: bool,
    at: Place,
) -> Field:
    one = Field(
        *what,
        options.source,
        is_secret=is_secret,
        is_optional=options.optional,
        file=at.lines.file,
        line=at.line,
    )
    if options.unique == "":
        raise at.under("unique").refusal(
            "a scope without a name", "say `unique = true`, or what else it must differ from"
        )
    if isinstance(options.unique, str):
        return replace(one, scope=options.unique)
    return replace(one, scope=f"{product.product}/{one.name}" if options.unique else "")


def _label(table: object, known: Collection[str], at: Place) -> SpecLabel:
    label = read_options(SpecLabel, read_table(table, at), at)
    for option_, name in label.names():
        if name not in known:
            raise at.under(option_).refusal(f"no field is called {name!r}", did_you_mean(name, known))
    return label


def _check_reference(spec: Spec, reference: str, at: Place) -> None:
    name, _, part = reference.partition(".")
    if name not in spec.sources:
        raise at.refusal(f"unknown source {name!r}", did_you_mean(name, spec.sources))
    parts = [f"{name}.{one}" if one else name for one in spec.sources[name].PARTS]
    if reference not in parts:
        problem = f"{name} draws no `{part}`" if part else f"{name} draws several values"
        raise at.refusal(problem, did_you_mean(reference, parts))


def json_schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a spec."""
    schema = schema_of(ProductOptions)
    kinds = []
    for name, kind in KINDS.items():
        one = schema_of(kind)
        one["properties"] = {"kind": {"const": name}, **one["properties"]}
        kinds.append({**one, "required": ["kind", *one["required"]], "title": name})
    names = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
    schema["properties"] |= {
        "sources": {"type": "object", "propertyNames": names, "additionalProperties": {"oneOf": kinds}},
        "fields": {
            "type": "object",
            "propertyNames": {"minLength": 1},
            "additionalProperties": {"type": "object", "additionalProperties": schema_of(FieldOptions)},
        },
        "notes": {"type": "object", "additionalProperties": schema_of(NoteOptions)},
        "label": schema_of(SpecLabel),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fctry: factory spec",
        **schema,
    }
