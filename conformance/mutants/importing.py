"""How a changed source takes the place of a module: it is compiled instead, as the module is imported."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType


class AlreadyImportedError(RuntimeError):
    """A module was imported before its source was changed, so that the change would have no effect."""


def import_changed(module: str, path: Path, source: str) -> None:
    """Have a module consist of another source from now on.

    Args:
        module: The name of the module, which must not be imported yet.
        path: Its file, which errors name.
        source: What is compiled instead.

    Raises:
        AlreadyImportedError: If it is imported already.
    """
    if module in sys.modules:
        raise AlreadyImportedError(f"{module} is imported already.")
    sys.meta_path.insert(0, _ChangedFinder(module, path, source))


class _ChangedFinder(MetaPathFinder):
    """Finds one module, and no other."""

    def __init__(self, module: str, path: Path, source: str) -> None:
        self._module = module
        self._path = path
        self._source = source

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module comes from; None for any other one."""
        if fullname != self._module:
            return None
        loader = _ChangedLoader(fullname, str(self._path), self._source)
        folders = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        return spec_from_file_location(fullname, self._path, loader=loader, submodule_search_locations=folders)


class _ChangedLoader(SourceFileLoader):
    """Compiles a text instead of what stands in the file."""

    def __init__(self, module: str, path: str, source: str) -> None:
        super().__init__(module, path)
        self._source = source

    def get_code(self, _fullname: str) -> CodeType:
        """The code of the changed module."""
        code: CodeType = compile(self._source, self.path, "exec", dont_inherit=True)
        return code
