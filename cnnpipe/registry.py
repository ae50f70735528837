"""Rooms as folders: a component is found by the name of its file. There is no list to keep."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.locations import import_plugin
from cnnpipe.spec import Spec

_plugin_folders: list[Path] = []


class Room:
    """A folder of components, one file each, such as `cnnpipe/blocks`. A file's name is the component's `type`.

    Args:
        name: The folder's name; also the package below `cnnpipe`.
        base: The class that every component of the room extends.
    """

    def __init__(self, name: str, base: type[Spec]) -> None:
        self.name, self.base = name, base
        self.kinds: dict[str, type[Spec]] = {}
        self._classes: dict[Path, type[Spec]] = {}

    def files(self) -> dict[str, Path]:
        """Return the file of every component, by name, plugins last."""
        package = importlib.import_module(f"cnnpipe.{self.name}")
        folders = [Path(folder) for folder in package.__path__] + [folder / self.name for folder in _plugin_folders]
        found: dict[str, Path] = {}
        for file in (file for folder in folders for file in sorted(folder.glob("[a-z]*.py"))):
            if found.setdefault(file.stem, file) != file:
                raise ProblemError(Problem(f"{file} and {found[file.stem]} both define {self.name} '{file.stem}'"))
        return found

    def names(self, kind: type[Spec] | None = None) -> list[str]:
        """Return the sorted names of all components, or of those that extend `kind`."""
        names = sorted(self.files())
        return names if kind is None or issubclass(self.base, kind) else [n for n in names if self.fits(n, kind)]

    def fits(self, name: str, kind: type[Spec]) -> bool:
        """Return whether a component extends `kind`."""
        return issubclass(self.base, kind) or issubclass(self.load(name), kind)

    def load(self, name: str) -> type[Spec]:
        """Import the file of a component and return its class.

        Raises:
            KeyError: There is no such file.
            ProblemError: The file does not hold exactly one class of the room with this `type`.
        """
        file = self.files()[name]
        if file not in self._classes:
            self._classes[file] = self._only_class(file)
        return self._classes[file]

    def _only_class(self, file: Path) -> type[Spec]:
        module = _import(self.name, file)
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module.__name__
            and getattr(value.model_fields.get("type"), "default", None) == file.stem
        ]
        if len(classes) != 1:
            raise ProblemError(
                Problem(f"{file} must define one {self.base.__name__} with type '{file.stem}' (found {len(classes)})")
            )
        return classes[0]


def _import(room: str, file: Path) -> ModuleType:
    if any(file.is_relative_to(folder) for folder in _plugin_folders):
        return import_plugin(room, file)
    return importlib.import_module(f"cnnpipe.{room}.{file.stem}")


def room(name: str) -> Room:
    """Return the room called `name`."""
    return cast(Room, importlib.import_module(f"cnnpipe.{name}").ROOM)


def rooms() -> list[Room]:
    """Return all rooms, found by looking at the packages below `cnnpipe`."""
    package = importlib.import_module("cnnpipe")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.ispkg)
    modules = [importlib.import_module(f"cnnpipe.{name}") for name in names]
    return [module.ROOM for module in modules if hasattr(module, "ROOM")]


def add_plugins(folder: str | Path) -> None:
    """Take the rooms of `folder` as equal to the shipped ones, until the process ends.

    Raises:
        ProblemError: The folder does not exist, or has no room.
    """
    folder = Path(folder).resolve()
    if folder in _plugin_folders:
        return
    known = [*(r.name for r in rooms()), "cli", "diagnosis"]
    if not any((folder / name).is_dir() for name in known):
        raise ProblemError(
            Problem(f"{folder} holds no plugins", hint=f"It needs one of the folders {', '.join(known)}.")
        )
    _plugin_folders.append(folder)


def plugin_folders() -> tuple[Path, ...]:
    """Return the folders given to `add_plugins`."""
    return tuple(_plugin_folders)


class Component:
    """Marks a field that holds one component of a room: `Annotated[Block, Component("blocks")]`.

    A class further down than the room's own, `Annotated[DetectionHead, Component("heads")]`, takes its kind alone.

    A bare name is a spec with all its defaults. A mapping is validated by the class that its `type` names, found when
    it is needed, so that only the files that a recipe names are imported.

    Args:
        room: Name of the room.
        default: The `type` of a mapping that says none; without it a missing `type` is an error.
    """

    def __init__(self, room: str, default: str | None = None) -> None:
        self.room, self.default = room, default
        self._kind: type[Spec] = Spec

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        self._kind = source
        dump = core_schema.plain_serializer_function_ser_schema(lambda spec: spec.model_dump())
        return core_schema.no_info_plain_validator_function(self.validate, serialization=dump)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        here = room(self.room)
        here.kinds[self._kind.__name__] = self._kind
        kind = "" if issubclass(here.base, self._kind) else f".{self._kind.__name__}"
        return {"x-component": f"{self.room}{kind}" + (f":{self.default}" if self.default else "")}

    def validate(self, value: Any) -> Spec:
        """Return the spec that `value` (a spec, a name, or a mapping) describes."""
        here = room(self.room)
        if isinstance(value, here.base) and isinstance(value, self._kind):
            return value
        if isinstance(value, str):
            value = {"type": value}
        if not isinstance(value, dict):
            raise PydanticCustomError("component_type", "expected a name or a mapping with a type", {"room": self.room})
        name = value.get("type", self.default)
        if name is None:
            raise PydanticCustomError("component_missing_type", "needs the key 'type'", {"room": self.room})
        if not isinstance(name, str) or name not in here.files():
            raise PydanticCustomError(
                "component_unknown",
                "no type is called '{name}'",
                {"name": str(name), "room": self.room, "known": here.names(self._kind)},
            )
        if not here.fits(name, self._kind):
            raise PydanticCustomError(
                "component_misplaced",
                "the type '{name}' is for other places",
                {"name": name, "room": self.room, "known": here.names(self._kind)},
            )
        return here.load(name).model_validate({"type": name, **value})
