"""The schema of a record: whole in both directions, one key for one measurement, no number that is none."""

import json
import math
from hashlib import sha256
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.results import schema
from mmbench.results.schema import Cost, Identity, Outcome, Result, json_schema

OTHER = {
    "method": "early",
    "parameters": {"width": 33},
    "tuned": True,
    "trials": 20,
    "sampler": "random",
    "method_source": "b" * 32,
    "core_source": "b" * 32,
    "dataset": "pid-bits",
    "dataset_parameters": {"n_train": 101},
    "dataset_version": "2",
    "data": "e" * 64,
    "training": {"epochs": 10},
    "augment": "noise(scale=0.2)",
    "balance": True,
    "split": "validation",
    "track": "alignment",
    "protocol": "standard",
    "protocol_version": 2,
    "seed": 4,
    "device": "cuda",
    "dtype": "float64",
    "threads": 2,
    "compiled": True,
    "deterministic": True,
    "together": (0, 1),
}
plain = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.none(),
    st.lists(st.one_of(st.integers(0, 999), st.floats(0, 1)), max_size=3).map(tuple),
)


def test_a_record_goes_to_json_and_back(make_result):
    for status in ("ok", "error", "timeout", "killed", "diverged"):
        result = make_result(status)
        again = Result.model_validate_json(result.model_dump_json())
        assert again == result
        assert again.ok == (status == "ok")
        assert again.identity.key == result.key


@given(st.dictionaries(st.text("abc", min_size=1), plain, max_size=4))
def test_parameters_keep_their_types_and_their_key_through_json(parameters):
    identity = Identity(method="m", method_source="", core_source="", dataset="d", dataset_version="", data="",
                        protocol="p", protocol_version=1, seed=0, parameters=parameters)  # fmt: skip
    again = Identity.model_validate_json(identity.model_dump_json())
    assert again.key == identity.key
    assert again.parameters == parameters
    assert {k: type(v) for k, v in again.parameters.items()} == {k: type(v) for k, v in parameters.items()}


def test_the_schema_that_is_committed_is_that_of_the_code():
    committed = Path(schema.__file__).with_name("result.schema.json").read_text()
    assert committed == json_schema(), "run: python -m mmbench.results.schema > mmbench/results/result.schema.json"


@pytest.fixture
def validate():
    validator = jsonschema.Draft202012Validator
    committed = json.loads(json_schema())
    validator.check_schema(committed)
    return validator(committed).validate


def test_records_are_valid_under_the_committed_schema(make_result, validate):
    for status in ("ok", "error"):
        assert validate(json.loads(make_result(status).model_dump_json())) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.pop("scores") and record.pop("identity"),
        lambda record: record.update(schema_version=2),
        lambda record: record.update(extra=1),
        lambda record: record["identity"].update(seed="three"),
        lambda record: record["outcome"].update(status="fine"),
        lambda record: record["scores"].update(accuracy="good"),
        lambda record: record["cost"].update(dollars=1),
    ],
)
def test_what_is_no_record_is_refused_by_the_schema_and_by_the_code(make_result, validate, damage):
    record = json.loads(make_result().model_dump_json())
    damage(record)
    with pytest.raises(jsonschema.ValidationError):
        validate(record)
    with pytest.raises(ValidationError):
        Result.model_validate_json(json.dumps(record))


def test_every_part_of_the_identity_changes_the_key(make_identity):
    assert set(OTHER) == set(Identity.model_fields), "a new field needs an example here"
    keys = {make_identity().key, *(make_identity(**{name: value}).key for name, value in OTHER.items())}
    assert len(keys) == len(OTHER) + 1
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in keys)


def test_nothing_else_changes_the_key(make_result, make_identity):
    one = make_result()
    other = make_result(
        scores={"accuracy": 0.1},
        provenance=one.provenance.model_copy(update={"created": "2020-01-01T00:00:00+00:00", "libraries": {}}),
        cost=Cost(),
        configuration={},
    )
    assert one.identity.key == other.identity.key
    turned = make_identity(parameters=dict(reversed(list(make_identity().parameters.items()))))
    assert turned.key == make_identity().key
    assert make_identity(device="cpu", threads=1, split="test").key == make_identity().key


def test_a_key_that_was_once_published_stays(make_identity):
    """It can be computed from the record alone, by anyone."""
    fields = {
        "method": "late",
        "parameters": {"lr": 0.001, "width": 32},
        "tuned": False,
        "method_source": "a" * 32,
        "core_source": "c" * 32,
        "dataset": "avdigits",
        "dataset_parameters": {"n_train": 100},
        "dataset_version": "1",
        "data": "d" * 64,
        "training": {},
        "split": "test",
        "track": "fusion",
        "protocol": "quick",
        "protocol_version": 1,
        "seed": 3,
        "device": "cpu",
        "dtype": "float32",
        "threads": 1,
        "compiled": False,
        "deterministic": False,
        "together": [],
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert make_identity(parameters={"width": 32, "lr": 0.001}).key == sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_everywhere(make_result, make_identity, bad):
    for change in ({"scores": {"accuracy": bad}}, {"validation": {"accuracy": bad}}, {"chance": bad}, {"ceiling": bad}):
        with pytest.raises(ValidationError, match="finite number"):
            make_result(**change)
    with pytest.raises(ValidationError, match="finite number"):
        Cost(fit_seconds=bad)
    for parameters in ({"lr": bad}, {"betas": (0.9, bad)}):
        with pytest.raises(ValidationError):
            make_identity(parameters=parameters)


def test_what_is_no_number_is_refused_when_it_is_read(make_result):
    text = make_result().model_dump_json().replace('"accuracy":0.9', '"accuracy":NaN')
    assert "NaN" in text
    with pytest.raises(ValidationError):
        Result.model_validate_json(text)


def test_records_do_not_change(make_result):
    result = make_result()
    with pytest.raises(ValidationError, match="frozen"):
        result.chance = 0.5
    with pytest.raises(ValidationError, match="frozen"):
        result.identity.seed = 1


def test_an_unknown_field_is_no_slip_that_passes():
    with pytest.raises(ValidationError, match="mesage"):
        Outcome(status="error", mesage="a slip")
