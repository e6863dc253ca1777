"""Label efficiency: how good a method is with a part of the training labels."""
