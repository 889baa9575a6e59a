"""Several errors of one input, told at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fctry.errors import InputError


class Refusals:
    """The errors of one input, collected to be told all at once."""

    def __init__(self) -> None:
        self._errors: list[InputError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep an InputError for later."""
        try:
            yield
        except InputError as error:
            self.add(error)

    def add(self, error: InputError) -> None:
        """Keep an error for later."""
        self._errors.append(error)

    def tell(self) -> None:
        """Raise the first, with the others in its `also`, if there is one."""
        if self._errors:
            self._errors[0].also = tuple(self._errors[1:])
            raise self._errors[0]
