"""The public functions, classes and methods of the numerics, and the tables of valid calls."""

import fnmatch
import importlib
import inspect
import pkgutil

import chains_table
import entropies_table
import networks_table
import searches_table
import systems_table

import descent

TABLES = (chains_table, entropies_table, networks_table, searches_table, systems_table)
CASES = {name: entry for table in TABLES for name, entry in table.CASES.items()}
EXEMPT = {name: why for table in TABLES for name, why in table.EXEMPT.items()}

# Their input comes from a book's page, a shell or a stored table, or they are the checks.
OTHERS = [
    "arguments",
    "book_folder",
    "prose",
    "publish",
    "chapters",
    "claims",
    "commands",
    "exercises",
    "explorer",
    "extras",
    "figures",
    "files",
    "kept",
    "sweeps",
    "tensor_arguments",
]


# Packages whose face hands on all that is public, but for the modules that chapters name.
CLOSED = (
    "aggregation",
    "causal",
    "compiled",
    "dynamics",
    "fokker_planck",
    "influence",
    "landscapes",
    "lyapunov",
    "minimum_action",
    "search_distributions",
    "zeroth_order",
)
NAMED = (
    "dynamics.system",
    "dynamics.tangent",
    "fokker_planck.diffusion_limit",
    "influence.worlds",
)


def modules():
    """Return the numerical modules; a closed package speaks for its modules."""
    for found in pkgutil.walk_packages(descent.__path__, "descent."):
        name = found.name.removeprefix("descent.")
        package, _, inner = name.partition(".")
        if package in OTHERS or (inner and package in CLOSED and name not in NAMED):
            continue
        yield name, importlib.import_module(found.name)


def public_callables():
    """Return the public functions, classes and methods, once each, by name."""
    found, seen = {}, set()
    for where, module in modules():
        names = getattr(module, "__all__", None)
        for name in names or [n for n in vars(module) if not n.startswith("_")]:
            thing = getattr(module, name)
            home = getattr(thing, "__module__", None)
            mine = names is not None or home == module.__name__
            if not mine or not is_callable(thing) or name.startswith("check_") or id(thing) in seen:
                continue
            seen.add(id(thing))
            if not inspect.isclass(thing):
                found[f"{where}.{name}"] = thing
                continue
            if issubclass(thing, tuple | BaseException):
                continue  # results by name, and errors
            found[f"{where}.{name}"] = thing
            for attribute, value in vars(thing).items():
                if inspect.isfunction(value) and not attribute.startswith("_"):
                    found[f"{where}.{name}.{attribute}"] = value
    return found


def is_callable(thing):
    made_here = type(thing).__module__.split(".")[0] in ("descent", "functools")
    return inspect.isclass(thing) or inspect.isfunction(thing) or (callable(thing) and made_here)


PUBLIC = public_callables()


def exempt(name):
    """Say whether a function is inside of another one, which is tested in its place."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in EXEMPT)
