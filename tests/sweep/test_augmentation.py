"""``mmbench run --augment`` and ``--balance``: declared, recorded, keyed, and shown."""

import json
from dataclasses import replace

import pytest

from mmbench.core.errors import MmbenchError
from mmbench.data.cache import Prepared
from mmbench.registry import installed
from mmbench.sweep.augmentation import choose_augmentation, in_text, refuses, with_train_split
from mmbench.sweep.choices import DatasetChoice, MethodChoice
from mmbench.sweep.plan import Settings, make_plan
from mmbench.sweep.protocol import PROTOCOLS, find_protocol
from mmbench.testing.samples import make_task

QUICK = find_protocol("quick")
ONE = ("run", "-m", "late", "-d", "breast-cancer-views", "--seeds", "1", "--protocol", "quick")


def test_the_protocols_of_the_suite_have_neither():
    assert all(not protocol.augment and not protocol.balance for protocol in PROTOCOLS.values())
    assert with_train_split(QUICK, installed(), "", False) == QUICK


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("noise(scale=0.1)", "noise"),
        (" modality-dropout(p=0.3) + noise( scale=2e-1 ) ", "modality-dropout(p=0.3)+noise(scale=0.2)"),
        ("noise(only=mean+worst)+mask:1", "noise(only=mean+worst)+mask"),
        ("stride(vary=yes,step=3)", "stride(step=3,vary=True)"),
    ],
)
def test_terms_have_one_form_in_the_order_in_which_they_act(text, canonical):
    assert with_train_split(QUICK, installed(), text, True).augment == canonical
    assert in_text(choose_augmentation(installed(), canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nois", "did you mean noise"),
        ("noise(scal=2)", "did you mean scale"),
        ("noise(scale=-1)", "scale=-1 is not allowed"),
        ("noise:0.5", "write noise$"),
        ("noise(", "brackets do not match"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(text, message):
    with pytest.raises(MmbenchError, match=message):
        with_train_split(QUICK, installed(), text, False)


def test_what_would_have_no_effect_on_a_task_is_refused():
    def said(kind, modalities, augment="", balance=False, missing=False):
        protocol = with_train_split(QUICK, installed(), augment, balance)
        chosen = choose_augmentation(installed(), protocol.augment)
        return refuses(make_task(kind, modalities), missing, protocol, chosen)

    assert said("classification", "image vector", "flip+noise") == ""
    assert said("classification", "vector vector", "noise+flip").startswith("flip acts on images and videos")
    assert "no modality 'left'" in said("classification", "vector", "noise(only=left)")
    assert said("classification", "vector", balance=True) == ""
    assert said("regression", "vector", balance=True).startswith("--balance has no effect")
    assert said("regression", "vector vector", balance=True, missing=True) == ""


def test_methods_that_need_every_modality_are_left_out_under_modality_dropout(tmp_path):
    late = MethodChoice(replace(installed().methods["late"], missing=False))
    task = make_task("classification", "vector vector")
    sizes = {"train": 8, "validation": 8, "test": 8}
    dataset = DatasetChoice(replace(installed().datasets["breast-cancer-views"], task=task))
    prepared = [(dataset, Prepared(tmp_path, task, "d" * 64, sizes, None, False))]

    def skipped(augment, method=late):
        protocol = with_train_split(QUICK, installed(), augment, False)
        return [skip.reason for skip in make_plan([method], prepared, Settings(tmp_path, protocol, (0,))).skipped]

    dropout = choose_augmentation(installed(), "modality-dropout")
    assert skipped("noise") == []
    assert skipped("noise+modality-dropout") == ["needs every modality of every sample"]
    assert skipped("", replace(late, terms=dropout)) == ["needs every modality of every sample"]


def test_it_is_recorded_keyed_and_shown_apart(mmbench, records):
    words = {
        "as it is": (),
        "augmented": ("--augment", "modality-dropout(p=0.30)+noise(scale=0.3)"),
        "balanced": ("--balance",),
    }
    found = {}
    for name, more in words.items():
        done = mmbench(*ONE, "-m", "prior", "--out", name, *more)
        assert done.returncode == 0, done.stderr
        found[name] = {method: records(name)[method][0] for method in ("late", "prior")}
    late = {name: each["late"] for name, each in found.items()}
    assert late["augmented"]["identity"]["augment"] == "modality-dropout(p=0.3)+noise(scale=0.3)"
    assert late["balanced"]["identity"]["balance"] is True
    assert (late["as it is"]["identity"]["augment"], late["as it is"]["identity"]["balance"]) == ("", False)
    assert len({record["key"] for record in late.values()}) == 3
    assert len({record["scores"]["nll"] for record in late.values()}) == 3
    assert [late[name]["execution"]["augmented"] for name in words] == [False, True, False]
    assert found["augmented"]["prior"]["execution"]["augmented"] is False
    assert found["augmented"]["prior"]["scores"] == found["as it is"]["prior"]["scores"]
    assert found["balanced"]["prior"]["scores"] != found["as it is"]["prior"]["scores"], "estimators are given it too"

    board = mmbench("board", "augmented", "--dataset", "breast-cancer-views").stdout
    assert "train split: augmented by modality-dropout(p=0.3)+noise(scale=0.3)" in board
    assert "prior has not seen the augmentation" in board
    assert "late has not seen" not in board
    assert "train split: balanced" in mmbench("board", "balanced", "--dataset", "breast-cancer-views").stdout
    assert "train split" not in mmbench("board", "as it is", "--dataset", "breast-cancer-views").stdout


def test_one_folder_has_a_board_for_each_and_mixes_none(mmbench, tmp_path):
    assert mmbench(*ONE).returncode == 0
    augmented = mmbench(*ONE, "--augment", "noise")
    assert augmented.returncode == 0
    assert "quick+augment=noise" in augmented.stdout
    board = mmbench("board", "--dataset", "breast-cancer-views").stdout
    plain, other = board.split("protocol quick+augment=noise", 1)
    assert "train split" not in plain
    assert "train split: augmented by noise" in other
    assert "Left out" not in board
    again = mmbench(*ONE, "--augment", "noise(scale=0.1)")
    assert "1 done before" in again.stderr
    assert len(list((tmp_path / "results").glob("**/seed0-*.json"))) == 2
    only = mmbench("board", "--protocol", "quick").stdout
    assert "augmented" not in only
    assert "late" in only


def test_seeds_at_once_share_one_balanced_train_split(mmbench, records):
    done = mmbench(*ONE, "--seeds", "2", "--seeds-mode", "together", "--augment", "noise", "--balance")
    assert done.returncode == 0, done.stderr
    for record in records()["late"]:
        assert record["execution"] == {"seeds": "together", "reason": "", "augmented": True}
        assert record["identity"]["balance"] is True


def test_a_term_can_be_set_for_one_method(mmbench, records):
    done = mmbench(*ONE, "-m", "late[loss=noise(scale=0.3)+mask]")
    assert done.returncode == 0, done.stderr
    losses = {record["identity"]["parameters"].get("loss") for record in records()["late"]}
    assert losses == {None, "mask:1+noise(scale=0.3):1"}
    assert all(record["identity"]["augment"] == "" for record in records()["late"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--augment", "flip"), "flip acts on images and videos, and the task has none of these"),
        (("--augment", "shrink"), "shrink leaves inputs as they are"),
        (("--augment", "nois"), "did you mean noise"),
    ],
)
def test_a_users_mistake_is_told_without_a_traceback(mmbench, words, message):
    done = mmbench(*ONE, *words)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_datasets_that_do_not_fit_are_left_out_of_many(mmbench):
    done = mmbench(*ONE, "-d", "avdigits", "--augment", "rotate", "--dry-run")
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    assert "skip: rotate acts on images and videos" in shown
    assert "late new (seed 0)" in shown


def test_terms_are_listed_for_people_and_programs(mmbench):
    listed = {card["name"]: card for card in json.loads(mmbench("list", "terms", "--json").stdout)}
    assert listed["modality-dropout"]["makes_missing"] is True
    assert not listed["noise"]["makes_missing"]
    assert "augmentation: adds Gaussian noise" in mmbench("list", "terms").stdout
