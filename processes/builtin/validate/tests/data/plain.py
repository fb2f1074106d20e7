import pandas

pandas.read_csv("input/train.csv").to_csv("working/submission.csv")
