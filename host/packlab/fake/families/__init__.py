"""The families a fake pack can speak, a module each with PROFILES: name -> Profile, the usual one
first. A module that is there is known; nobody keeps a list."""

import pkgutil
from importlib import import_module

from packlab.errors import PacklabError
from packlab.fake.base import Profile


def names() -> list[str]:
    """All families."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def profiles(family: str) -> dict[str, Profile]:
    """The family's profiles; PacklabError names the families there are."""
    if family not in names():
        raise PacklabError(f"'{family:.40}' is no family; use one of {', '.join(names())}")
    found: dict[str, Profile] = import_module(f"{__name__}.{family}").PROFILES
    return found


def profile(family: str, name: str | None) -> Profile:
    """The profile of that name, the family's usual one without."""
    known = profiles(family)
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise PacklabError(f"{family} has no profile '{name:.40}'; use one of {', '.join(known)}")
    return known[name]
