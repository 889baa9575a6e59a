"""Modules that SQLAlchemy imports and a ledger never uses: they are a quarter of what its import takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def put_off(*names: str) -> Iterator[None]:
    """What is imported in here gets these modules when it uses them, and anybody else gets them at once afterwards."""
    placeholders = {name: _Placeholder(name) for name in names if name not in sys.modules}
    sys.modules.update(placeholders)
    for name, one in placeholders.items():
        package, _, module = name.rpartition(".")
        if package:
            setattr(import_module(package), module, one)
    try:
        yield
    finally:
        for name, one in placeholders.items():
            if sys.modules.get(name) is one:
                del sys.modules[name]


class _Placeholder(ModuleType):
    """Stands for a module that is imported with the first attribute of it, but for a function: with its first call."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is not self or not name.islower() or name.startswith("_"):
            return getattr(self._load(), name)
        return lambda *args, **options: getattr(self._load(), name)(*args, **options)

    def _load(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return import_module(self.__name__)
