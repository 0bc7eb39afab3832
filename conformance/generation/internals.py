"""What drawing requests takes from hypothesis and schemathesis beyond what they document.

- hypothesis mixes into what it draws the constants of every local module that happens to be loaded, and has no setting
  against it. Without its internals the same seed would give other requests in another program.
- hypothesis writes tables into the working directory. No setting of a test turns that off.
- schemathesis gives its coverage cases and the cases of a description's examples to its own runner only.

A later release may lack any of this. Then the run goes on with less: `losses` says what is lost.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from schemathesis import Case
    from schemathesis.schemas import APIOperation
    from schemathesis.specs.openapi.schemas import OpenApiSchema

INSTALL = "pip install schemathesis hypothesis"
"""The command that installs what draws requests."""
_TESTED_WITH = {"hypothesis": "6.170", "schemathesis": "4.32"}
INSTALL_TESTED = f"pip install 'schemathesis=={_TESTED_WITH['schemathesis']}.*'"
"""The command that installs a schemathesis whose internals are known."""


def is_installed() -> bool:
    """Whether schemathesis and hypothesis can be imported, which are needed to draw requests and for nothing else."""
    try:
        import_module("schemathesis")
        import_module("hypothesis")
    except ImportError:
        return False
    return True


def losses() -> list[str]:
    """What generated tests lose with the installed hypothesis and schemathesis, a sentence for each loss."""
    found = []
    if _constants() is None:
        found.append(
            f"{_release('hypothesis')}: the same seed may draw other requests in another environment, since what is "
            "drawn cannot be kept apart from the modules that are loaded."
        )
    if _configuration() is None:
        found.append(f"{_release('hypothesis')}: it may leave a folder .hypothesis in the working directory.")
    if not has_coverage_cases():
        found.append(
            f"{_release('schemathesis')}: no coverage cases are drawn, so fewer boundary values and no undescribed "
            "methods are tried."
        )
    if not has_example_cases():
        found.append(f"{_release('schemathesis')}: the examples of the description are not sent.")
    return found


def _release(package: str) -> str:
    return f"{package} {version(package)} lacks internals of {package} {_TESTED_WITH[package]} that are used here"


# ------------------------------------------------------------------------------------------------------- hypothesis


@dataclass(frozen=True)
class _Constants:
    """The parts of hypothesis that mix constants of loaded modules into what is drawn.

    Args:
        providers: The module whose function gives these constants.
        none: The class whose new instance holds no constants.
        cache: The values that were computed from the constants so far.
    """

    providers: ModuleType
    none: Any
    cache: Any


def _constants() -> _Constants | None:
    try:
        providers = import_module("hypothesis.internal.conjecture.providers")
        none = import_module("hypothesis.internal.constants_ast").Constants
        found = _Constants(providers, none, providers.CONSTANTS_CACHE.cache)
        usable = callable(providers._get_local_constants) and callable(found.cache.clear)  # noqa: SLF001  (no setting)
    except (ImportError, AttributeError):
        return None
    return found if usable else None


def _configuration() -> ModuleType | None:
    """The module that says where hypothesis writes."""
    try:
        found = import_module("hypothesis.configuration")
    except ImportError:
        return None
    return found if hasattr(found, "set_hypothesis_home_dir") and hasattr(found, "storage_directory") else None


@contextmanager
def deterministic_hypothesis() -> Iterator[None]:
    """While the context lasts, hypothesis draws from the seed alone, as far as `losses` allows.

    It writes nothing but its tables of characters, which take it a second to make: these go to the user's cache.
    """
    with ExitStack() as stack:
        if constants := _constants():
            stack.enter_context(_without_constants(constants))
        if configuration := _configuration():
            stack.enter_context(_without_files(configuration))
        yield


@contextmanager
def _without_constants(constants: _Constants) -> Iterator[None]:
    before = constants.providers._get_local_constants  # noqa: SLF001  (hypothesis has no setting for it)
    setattr(constants.providers, "_get_local_constants", constants.none)  # noqa: B010  (mypy knows no such member)
    constants.cache.clear()
    try:
        yield
    finally:
        setattr(constants.providers, "_get_local_constants", before)  # noqa: B010  (as above)
        constants.cache.clear()


@contextmanager
def _without_files(configuration: ModuleType) -> Iterator[None]:
    home = configuration.storage_directory(intent_to_write=False).home_directory
    configuration.set_hypothesis_home_dir(_cache())
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(home)


def _cache() -> str | Path:
    """A folder of the user's for what may be made again at any time; the null device where a user has no such folder.

    It is where the XDG Base Directory Specification has it.
    """
    try:
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return os.devnull
    return Path(caches, "conformance", "hypothesis")


# ----------------------------------------------------------------------------------------------------- schemathesis


def has_coverage_cases() -> bool:
    """Whether the installed schemathesis gives its coverage cases without its runner."""
    try:
        import_module("schemathesis.generation.coverage").GenerationSession  # noqa: B018  (is it there?)
        schema = import_module("schemathesis.specs.openapi.schemas").OpenApiSchema
        taken = signature(schema.iter_coverage_cases).parameters
    except (ImportError, AttributeError):
        return False
    return {"generation_modes", "generation_config", "session"} <= set(taken)


def coverage_cases(schema: "OpenApiSchema", operation: "APIOperation[Any, Any, Any, Any]") -> "Iterable[Case[Any]]":
    """The cases of schemathesis' coverage phase: boundary values, and each keyword of a schema broken once.

    Args:
        schema: The description.
        operation: One of its operations.

    Returns:
        The cases; none where schemathesis does not give them.
    """
    if not has_coverage_cases():
        return ()
    return schema.iter_coverage_cases(
        operation,
        generation_modes=list(import_module("schemathesis").GenerationMode),
        generation_config=schema.config.generation_for(operation=operation),
        session=import_module("schemathesis.generation.coverage").GenerationSession(),
    )


def has_example_cases() -> bool:
    """Whether the installed schemathesis gives the cases of a description's examples without its runner."""
    return hasattr(import_module("schemathesis").APIOperation, "get_strategies_from_examples")


def example_strategies(operation: "APIOperation[Any, Any, Any, Any]") -> "list[SearchStrategy[Case[Any]]]":
    """What draws the cases of the description's examples; nothing where schemathesis does not give them."""
    return operation.get_strategies_from_examples() if has_example_cases() else []
