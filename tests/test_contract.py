"""Every installed method keeps the harness's contract."""

from functools import lru_cache

import pytest

from mmbench.registry import installed
from mmbench.testing.contract import Check, ContractError, NotAskedError, checks_for

# Methods that read what stands beyond a length, where the harness puts zeros. Each entry goes when its method masks.
PADDING = "it relies on zeros beyond the length"
KNOWN = {(name, "padding"): PADDING for name in ("linear", "boosting", "early-data", "early-feature")}


@lru_cache(maxsize=2)  # what a method is built of for its checks is let go after them
def checks(method: str) -> dict[str, Check]:
    return {check.name: check for check in checks_for(installed().method(method))}


def every() -> list[object]:
    """(method, check) of all that can be asked; a method that cannot be imported fails by itself."""
    found = []
    for method in installed().methods:
        try:
            names = [*checks(method)]
        except Exception:
            names = ["import"]
        for name in names:
            reason = KNOWN.get((method, name))
            marks = [pytest.mark.xfail(reason=reason, raises=ContractError, strict=True)] if reason else []
            found.append(pytest.param(method, name, id=f"{method}-{name}", marks=marks))
    return found


@pytest.mark.parametrize(("method", "check"), every())
def test_method(method: str, check: str) -> None:
    try:
        checks(method)[check].run()
    except NotAskedError as reason:
        pytest.skip(str(reason))


def test_every_check_says_what_it_proves() -> None:
    for check in checks("late").values():
        assert check.proves.endswith("."), check.name
