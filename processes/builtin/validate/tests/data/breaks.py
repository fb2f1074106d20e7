def fit(train, ctx):
    return {}["a cell"]


def predict(model, frame):
    return [0.5] * len(frame)
