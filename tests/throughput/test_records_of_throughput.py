"""Records of throughput: their files, their order, and that no two devices stand together."""

import pytest
from pydantic import ValidationError

from mmbench.core.errors import MmbenchError
from mmbench.results.schema import Outcome
from mmbench.results.throughput import (
    Throughput,
    ThroughputPhase,
    by_device,
    found_throughput,
    load_throughput,
    path_of,
    read_throughput,
    write_throughput,
)
from mmbench.throughput.table import tables_text


def test_a_record_is_read_as_it_was_written(make_record, tmp_path):
    record = make_record()
    assert read_throughput(write_throughput(tmp_path, record)) == record


def test_a_record_lies_by_setting_dataset_and_method(make_record, tmp_path):
    path = write_throughput(tmp_path, make_record())
    assert path.relative_to(tmp_path).parts[0::2] == ("throughput", "tiny")
    assert path.name == "late.json"
    assert "a_processor" in path.parts[-3]


@pytest.mark.parametrize(
    "other",
    [
        {"device": "cuda", "name": "a GPU"},
        {"name": "another processor"},
        {"dtype": "bfloat16"},
        {"threads": 2},
        {"compiled": True},
        {"dataset": "large"},
        {"method": "early"},
    ],
)
def test_what_differs_lies_in_another_place(make_record, tmp_path, other):
    assert path_of(tmp_path, make_record().identity) != path_of(tmp_path, make_record(**other).identity)


def test_a_record_is_found_by_all_that_made_it(make_record, tmp_path):
    record = make_record()
    assert found_throughput(tmp_path, record.identity) is None
    write_throughput(tmp_path, record)
    assert found_throughput(tmp_path, record.identity) == record
    for change in ({"method_source": "x"}, {"core_source": "x"}, {"data": "x"}, {"steps": 5}, {"definition": 2}):
        assert found_throughput(tmp_path, record.identity.model_copy(update=change)) is None


def test_a_new_record_takes_the_place_of_the_old_one(make_record, tmp_path):
    old = make_record()
    new = old.model_copy(update={"identity": old.identity.model_copy(update={"method_source": "new"})})
    assert write_throughput(tmp_path, old) == write_throughput(tmp_path, new)
    assert load_throughput(tmp_path) == [new]


def test_what_is_no_record_says_so_and_is_left_out(make_record, tmp_path, caplog):
    path = write_throughput(tmp_path, make_record())
    write_throughput(tmp_path, make_record("early"))
    path.write_text('{"identity": 3}')
    with pytest.raises(MmbenchError, match="no record of throughput of this version: identity"):
        read_throughput(path)
    assert [record.identity.method for record in load_throughput(tmp_path)] == ["early"]
    assert "no record of throughput" in caplog.text
    assert found_throughput(tmp_path, make_record().identity) is None


def test_nothing_unknown_and_no_nan_stands_in_a_record(make_record):
    content = make_record().model_dump()
    with pytest.raises(ValidationError):
        Throughput.model_validate({**content, "speed": 1})
    with pytest.raises(ValidationError):
        Throughput.model_validate({**content, "peak_flops_per_second": float("nan")})


def test_records_come_in_one_order(make_record, tmp_path):
    for method in ("late", "early", "linear"):
        write_throughput(tmp_path, make_record(method))
    assert [record.identity.method for record in load_throughput(tmp_path)] == ["early", "late", "linear"]
    assert load_throughput(tmp_path / "nowhere") == []


def test_devices_are_never_put_together(make_record):
    records = [
        make_record("late"),
        make_record("early", device="cuda", name="a GPU"),
        make_record("linear", threads=2),
        make_record("early"),
    ]
    groups = by_device(records)
    assert len(groups) == 3
    assert [[r.identity.method for r in g["tiny"]] for g in groups.values()] == [
        ["early", "late"],
        ["linear"],
        ["early"],
    ]
    tables = tables_text(records).split("\n\n")
    heads = [table for table in tables if " on " in table]
    assert len(heads) == 3
    assert all(("early" in table) + ("linear" in table) < 2 for table in tables)


def test_a_table_says_speed_latency_and_what_is_missing(make_record):
    good = make_record(busy=True)
    nothing = make_record("linear").model_copy(update={"train": ThroughputPhase(reason="it does not train so")})
    failed = make_record("broken").model_copy(
        update={"train": ThroughputPhase(), "predict": ThroughputPhase(), "outcome": Outcome(status="timeout")}
    )
    text = tables_text([good, nothing, failed])
    assert "tiny on cpu: a processor, float32, 1 thread, torch 2.9 (on a busy machine)" in text
    training, inference = text.split("inference")
    late = next(line for line in training.splitlines() if line.startswith("late"))
    assert late.split() == ["late", "500/s", "–", "–", "500/s", "(1)", "3", "ms", "–"]
    assert next(line for line in training.splitlines() if line.startswith("linear")).split()[1] == "n/a"
    assert next(line for line in inference.splitlines() if line.startswith("broken")).split()[1] == "timeout"


def test_a_share_of_the_peak_is_a_lower_bound_where_operations_are_not_counted(make_record):
    record = make_record()
    row = record.train.rows[0].model_copy(update={"share_of_peak": 0.123})
    known = ThroughputPhase(rows=(row,))
    partly = ThroughputPhase(rows=(row,), uncounted=("svd",))
    text = tables_text([record.model_copy(update={"train": known, "predict": partly})])
    assert text.count("12 %") == 2
    assert text.count("≥ 12 %") == 1
