def fit(train, ctx):
    return None


def predict(model, frame):
    return [float("nan")] * len(frame)
