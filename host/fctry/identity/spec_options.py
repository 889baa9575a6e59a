"""Options of a spec, as fields of frozen dataclasses: the one table of its reader and its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from fctry.errors import InputError

if TYPE_CHECKING:
    from fctry.identity.toml_lines import TomlLines

T = TypeVar("T")

JSON_TYPES: dict[Any, tuple[str, ...]] = {
    str: ("string",),
    int: ("integer",),
    bool: ("boolean",),
    bool | str: ("boolean", "string"),
    tuple[str, ...]: ("array",),
}
PYTHON_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list}


@dataclass(frozen=True)
class Limits:
    """What an option may be, and what it is for. `minimum` and `maximum` are inclusive.

    `schema` is what the JSON Schema says beside; who reads the spec has words of its own for it.
    """

    text: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)


def option(text: str, default: Any = MISSING, **limits: Any) -> Any:
    """A field of a dataclass that is an option of the spec. Without a default it must be given."""
    return field(default=default, metadata={"limits": Limits(text, **limits)}, kw_only=True)


@dataclass(frozen=True)
class Place:
    """A table in a spec, by the path of its keys. It makes errors that name file and line."""

    lines: TomlLines
    path: tuple[str, ...] = ()

    def under(self, *names: str) -> Place:
        return Place(self.lines, (*self.path, *names))

    @property
    def line(self) -> int | None:
        return self.lines.line_of(self.path)

    def refusal(self, message: str, hint: str) -> InputError:
        name = ".".join(self.path)
        text = f"{name}: {message}" if name else message
        return InputError(text, hint=hint, file=self.lines.file, line=self.line)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names what was probably meant, or all that there is."""
    known = sorted(known)
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1)
    return f"did you mean `{close[0]}`?" if close else "there are: " + ", ".join(known)


def read_table(table: object, place: Place) -> Mapping[str, Any]:
    """A table of the spec. Raises InputError for what is none."""
    if not isinstance(table, dict):
        raise place.refusal("not a table", f"write it as a table, [{'.'.join(place.path)}]")
    return table


def read_options(kind: type[T], table: Mapping[str, Any], place: Place, ignore: tuple[str, ...] = ()) -> T:
    """An instance of a dataclass of options. Raises InputError with file, line and remedy."""
    known = _options(kind)
    for name in table:
        if name not in (*known, *ignore):
            raise place.under(name).refusal("unknown key", did_you_mean(name, (*known, *ignore)))
    for name, (types, limits, is_required) in known.items():
        if name in table:
            _check(table[name], types, limits, place.under(name))
        elif is_required:
            raise place.refusal(f"no {name}", f"add {name}: {limits.text}")
    try:
        return kind(**{name: _frozen(value) for name, value in table.items() if name not in ignore})
    except InputError as error:
        raise place.refusal(error.message, error.hint) from None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _check(value: Any, types: tuple[str, ...], limits: Limits, place: Place) -> None:
    if type(value) not in [PYTHON_TYPES[name] for name in types]:
        raise place.refusal(f"not {' or '.join(types)}", f"it is: {limits.text}")
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        raise place.refusal("not an array of strings", f"it is: {limits.text}")
    if limits.choices and value not in limits.choices:
        raise place.refusal(f"{value!r} is none of its values", did_you_mean(value, limits.choices))
    low, high = limits.minimum, limits.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise place.refusal(f"{value} is out of range", f"it is {low} {f'to {high}' if high else 'or more'}")


def _options(kind: type[Any]) -> dict[str, tuple[tuple[str, ...], Limits, bool]]:
    hints = get_type_hints(kind)
    return {
        one.name: (JSON_TYPES[hints[one.name]], one.metadata["limits"], one.default is MISSING)
        for one in fields(kind)
        if "limits" in one.metadata
    }


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a table that `read_options` takes for this dataclass."""
    properties: dict[str, Any] = {}
    for name, (types, limits, _) in _options(kind).items():
        properties[name] = {
            "description": limits.text,
            "type": types[0] if len(types) == 1 else list(types),
            **({"minimum": limits.minimum} if limits.minimum is not None else {}),
            **({"maximum": limits.maximum} if limits.maximum is not None else {}),
            **({"items": {"type": "string"}} if types == ("array",) else {}),
            **({"enum": list(limits.choices)} if limits.choices else {}),
            **limits.schema,
        }
    required = [name for name, (_, _, is_required) in _options(kind).items() if is_required]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }
