"""The method that does nothing."""


class Noop:
    """Whatever the input, one half.

    Args:
        task: with two classes.
        number: makes another method of it, as far as the harness can tell.
    """

    def __init__(self, task, *, number: int = 0):
        self.outputs = task.outputs

    def fit(self, train, validation, run):
        return self

    def predict(self, split):
        import torch  # a card with parameters is imported by the parent, which should stay light

        return torch.full((len(split), self.outputs), 1 / self.outputs)
