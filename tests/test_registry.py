"""Plugins are found through entry points, and whatever one does wrong costs that plugin alone."""

import re
import sys
from importlib.metadata import distributions, entry_points
from textwrap import dedent

import pytest

from mmbench import hooks, registry
from mmbench.core.cards import MethodCard
from mmbench.core.errors import MmbenchError

GOOD = """
    from mmbench import MethodCard, hookimpl

    @hookimpl
    def mmbench_methods():
        return [MethodCard("{name}", "summary", "json:dumps")]
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """``site(distribution, source)`` installs a plugin; ``site.found()`` is the registry of all of them."""

    class Site:
        def __call__(self, name, source, entry=None):
            module = f"plugin_of_{name.replace('-', '_')}"
            (tmp_path / f"{module}.py").write_text(dedent(source))
            self.describe(name, entry or name, module)

        def describe(self, name, entry, target):
            info = tmp_path / f"{name}-1.0.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            (info / "entry_points.txt").write_text(f"[mmbench]\n{entry} = {target}\n")

        def points(self):
            return [point for dist in distributions(path=[str(tmp_path)]) for point in dist.entry_points]

        def found(self, disabled=()):
            return registry.discover(self.points(), disabled)

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield Site()
    for name in set(sys.modules) - before:
        if name.startswith("plugin_of_"):
            del sys.modules[name]


def plugin(found, name):
    (one,) = [plugin for plugin in found.plugins if plugin.name == name]
    return one


def test_a_plugin_is_found_with_its_distribution_and_its_cards(site):
    site("good", GOOD.format(name="mine"))
    found = site.found()
    assert list(found.methods) == ["mine"]
    one = plugin(found, "good")
    assert (one.distribution, one.version, one.status) == ("good", "1.0", "ok")
    assert one.cards == {"methods": ["mine"]}
    assert one.problems == []


HOOK = "import sys\nfrom mmbench import MethodCard, hookimpl\n@hookimpl\n"
FAULTS = {
    "import": ("import a_package_that_nobody_has", "cannot be imported: ModuleNotFoundError"),
    "syntax": ("def broken(:\n", "cannot be imported: SyntaxError"),
    "exit": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "hook-exits": (HOOK + "def mmbench_methods(): sys.exit(3)", "mmbench_methods failed: SystemExit: 3"),
    "hook-raises": (HOOK + "def mmbench_terms(): raise OSError('no')", "mmbench_terms failed: OSError: no"),
    "misspelt": (HOOK + "def mmbench_method(): return []", "its hooks do not fit: .*mmbench_method"),
    "arguments": (HOOK + "def mmbench_methods(registry): return []", "its hooks do not fit: .*registry"),
    "no-list": (HOOK + "def mmbench_methods(): return MethodCard('x', '', 'm:f')", "mmbench_methods failed: TypeError"),
    "wrong-type": (HOOK + "def mmbench_methods(): return ['late']", "gave 'late', which is no MethodCard"),
    "bad-card": (HOOK + "def mmbench_methods(): return [MethodCard('x', '', 'y')]", "MmbenchError: .*build is"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_plugin_says_why_and_costs_itself_alone(site, fault):
    source, problem = FAULTS[fault]
    site("afirst", GOOD.format(name="one"))
    site("broken", source)
    site("last", GOOD.format(name="two"))
    found = site.found()
    assert list(found.methods) == ["one", "two"]
    assert [plugin(found, name).status for name in ("afirst", "broken", "last")] == ["ok", "broken", "ok"]
    assert plugin(found, "broken").cards == {}
    (told,) = plugin(found, "broken").problems
    assert re.search(problem, told, re.DOTALL), told


def test_a_failed_import_keeps_its_traceback(site):
    site("broken", "value = 1 / 0\n")
    assert "value = 1 / 0" in plugin(site.found(), "broken").traceback
    assert "ZeroDivisionError" in plugin(site.found(), "broken").traceback


def test_a_person_can_still_interrupt_an_import(site):
    site("interrupted", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        site.found()


def test_what_is_right_in_a_plugin_is_kept_beside_what_is_wrong(site):
    site(
        "half",
        """
        from mmbench import MethodCard, hookimpl

        @hookimpl
        def mmbench_methods():
            return [MethodCard("right", "", "m:f"), 3, MethodCard("right", "", "m:f"), MethodCard("too", "", "m:f")]

        @hookimpl
        def mmbench_datasets():
            raise RuntimeError("no data")
        """,
    )
    found = site.found()
    assert list(found.methods) == ["right", "too"]
    half = plugin(found, "half")
    assert half.status == "broken"
    assert len(half.problems) == 3


def test_a_name_belongs_to_who_comes_first_and_the_other_is_told_whose_it_is(site):
    site("alpha", GOOD.format(name="late"))
    site("beta", GOOD.format(name="late").replace("summary", "another"))
    found = site.found()
    assert found.methods["late"].summary == "summary"
    assert plugin(found, "alpha").status == "ok"
    assert plugin(found, "beta").status == "broken"
    assert plugin(found, "beta").problems == ["method 'late' is already offered by plugin 'alpha'"]


def test_the_order_of_entry_points_changes_nothing(site):
    """Two distributions may even call their entry points the same."""
    site("alpha", GOOD.format(name="late").replace("summary", "from alpha"), entry="same")
    site("beta", GOOD.format(name="late").replace("summary", "from beta"), entry="same")
    points = site.points()
    there = registry.discover(points)
    back = registry.discover(reversed(points))
    assert there.methods == back.methods
    assert there.methods["late"].summary == "from alpha"


def test_a_disabled_plugin_is_not_even_imported(site):
    site("good", GOOD.format(name="mine"))
    site("dangerous", "raise RuntimeError('it was imported')\n")
    found = site.found(disabled=["dangerous"])
    assert plugin(found, "dangerous").status == "disabled"
    assert plugin(found, "dangerous").problems == []
    assert list(found.methods) == ["mine"]


def test_an_entry_point_without_a_module_is_a_broken_plugin(site):
    site.describe("gone", "gone", "plugin_that_is_not_here")
    site.describe("odd", "odd", "json:there_is_no_such_thing")
    found = site.found()
    assert {plugin.status for plugin in found.plugins} == {"broken"}


def test_a_distribution_whose_metadata_are_damaged_costs_itself_alone(site, tmp_path):
    """An interrupted uninstall leaves such folders."""
    site("good", GOOD.format(name="mine"))
    site("torn", GOOD.format(name="other"))
    (tmp_path / "torn-1.0.dist-info" / "METADATA").unlink()
    found = site.found()
    assert "mine" in found.methods
    assert "other" in found.methods


def test_built_in_things_come_first_and_cannot_be_taken(site):
    """However a plugin calls itself, `embedded` has its datasets before it."""
    site(
        "aaa",
        """
        from mmbench import DatasetCard, Modality, Task, hookimpl

        @hookimpl
        def mmbench_datasets():
            task = Task("classification", 2, (Modality("x", "vector", (1,)),))
            return [DatasetCard("avdigits", "not the real one", "m:f", task)]
        """,
    )
    found = registry.discover(entry_points(group=hooks.GROUP))
    assert found.datasets["avdigits"].build.startswith("mmbench.")
    assert plugin(found, "aaa").problems == ["dataset 'avdigits' is already offered by plugin 'embedded'"]
    assert [one.distribution for one in found.plugins[:2]] == ["mmbench", "mmbench"]


def test_everything_that_is_installed_here_is_whole():
    assert {plugin.name: plugin.problems for plugin in registry.installed().plugins if plugin.status != "ok"} == {}


def test_an_unknown_name_is_told_with_the_nearest_and_with_broken_plugins(site):
    site("good", GOOD.format(name="late"))
    with pytest.raises(MmbenchError, match=r"no method 'lato'; did you mean late\?$"):
        site.found().method("lato")
    site("broken", "import nothing_like_this")
    with pytest.raises(MmbenchError, match=r"broken plugins: broken; see `mmbench list plugins`"):
        site.found().method("lato")
    with pytest.raises(MmbenchError, match=r"no dataset 'x'; none is known"):
        site.found().dataset("x")
    assert site.found().method("late").name == "late"


def test_a_card_leads_to_its_callable():
    from json import dumps

    assert registry.load(MethodCard("x", "", "json:dumps")) is dumps


def test_a_card_that_names_nothing_is_told():
    with pytest.raises(MmbenchError, match="x: json has no 'dump_it', which its card names"):
        registry.load(MethodCard("x", "", "json:dump_it"))
