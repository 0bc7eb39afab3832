"""What pytest loads of this distribution: the plugin in the package that lies beside this file.

Python finds a package by its name, and a project may have a folder of its own that is named ``conformance`` as well.
So the plugin is found by its place: by its name pytest might find that folder instead, and would not even start.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).with_name("conformance")
"""The folder of our package."""


def load(name: str) -> ModuleType:
    """A module of our package that imports nothing of it, loaded beside what the name ``conformance`` stands for.

    Raises:
        ImportError: If there is no such module.
    """
    path = PACKAGE / f"{name}.py"
    spec = spec_from_file_location(f"{__name__}_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def __getattr__(name: str) -> ModuleType:
    """Load the plugin when pytest asks for it by ``conformance_pytest:plugin``, the entry point.

    Raises:
        AttributeError: If something else is asked for.
    """
    if name != "plugin":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return load(name)
