"""The ceiling: the exact posterior as a row. Light: every ``mmbench`` command imports this."""

from mmbench import MethodCard, hookimpl


@hookimpl
def mmbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="oracle",
            summary="The exact posterior of a dataset that knows it: the Bayes-optimal prediction",
            build="mmbench_oracle.oracle:Oracle",
            deterministic=True,
            needs=("posterior",),
            role="ceiling",
        )
    ]
