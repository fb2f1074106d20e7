"""A logistic model of the numbers, fitted by Newton's method."""

import numpy as np


def fit(train, ctx):
    numbers = train[ctx.features].select_dtypes("number")
    middle, spread = numbers.mean(), numbers.std()
    rows = _rows(numbers, middle, spread)
    truth = (train[ctx.target] == ctx.classes[1]).to_numpy(float)
    weights = np.zeros(rows.shape[1])
    for _ in range(12):
        said = 1 / (1 + np.exp(-rows @ weights))
        steepness = (rows * (said * (1 - said))[:, None]).T @ rows + np.eye(len(weights))
        weights += np.linalg.solve(steepness, rows.T @ (truth - said) - weights)
    return list(numbers), middle, spread, weights


def predict(model, frame):
    names, middle, spread, weights = model
    return 1 / (1 + np.exp(-_rows(frame[names], middle, spread) @ weights))


def _rows(numbers, middle, spread):
    return np.column_stack([np.ones(len(numbers)), (numbers - middle) / spread])
