def fit(train, ctx):
    return train["calls"].max()


def predict(model, frame):
    return 1 - frame["calls"] / (model + 1)
