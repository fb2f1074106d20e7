"""Reading a script names what it must not do, and finds nothing in an honest one."""

from __future__ import annotations

import pytest

from loom.science.search.lint import ast_digest, lint
from loom.science.search.smells import CODES

HONEST = '''
"""Reads ./input; see https://example.org/paper and /usr/share/doc for the idea."""
import json
import os
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "2"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import LabelEncoder

warnings.filterwarnings("ignore")
pd.options.mode.copy_on_write = True
threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.environ["LOKY_MAX_CPU_COUNT"]))
import gc

gc.collect()
train, test = pd.read_csv("./input/train.csv"), pd.read_csv("input/test.csv")
ctx = json.loads(Path("input/ctx.json").read_text())
target = ctx["target"]


def clean(frame):
    """Called with either kind of rows."""
    frame = frame.copy()
    frame["ratio"] = frame["a"] / frame["b"].mean()
    return frame


X, T = clean(train.drop(columns=[target])), clean(test.drop(columns=["row_id"]))
y = train[target]
for column in X.select_dtypes("object"):
    encoder = LabelEncoder().fit(X[column].astype(str))
    X[column] = encoder.transform(X[column].astype(str))
    T[column] = T[column].map(dict(zip(encoder.classes_, range(9))))
both = pd.concat([X, T])
print(f"{len(both)} rows, see /tmp/log and https://example.org")
shapes = both.shape
X2 = both[: len(X)]
X3 = both[both["kind"] == "train"]
oof = np.zeros(len(X))
for tr, va in StratifiedKFold(5).split(X, y):
    model = lgb.LGBMClassifier().fit(X.iloc[tr], y.iloc[tr], eval_set=[(X.iloc[va], y.iloc[va])])
    oof[va] = model.predict_proba(X.iloc[va])[:, 1]
model.fit(X2, y)
print(json.dumps({"cv": roc_auc_score(y, oof), "path": f"{ctx}/a/b"}))
sample = pd.read_csv("input/sample_submission.csv")
test[target] = model.predict_proba(T)[:, 1]
sample["prediction"] = test[target].to_numpy()
sample.to_csv("./working/submission.csv", index=False)
'''


def found(code: str, target: str | None = "y") -> set[tuple[str, str]]:
    return {(smell.code, smell.severity) for smell in lint(code, target)}


def test_an_honest_script_has_no_smell() -> None:
    # `test[target]` is what it wrote there itself a line before
    assert found(HONEST.replace("test[target]", "test['guess']")) == set()


BAD = {
    "import socket": ("network", "refuse"),
    "from urllib.request import urlopen": ("network", "refuse"),
    "import requests as r": ("network", "refuse"),
    "pd.read_csv('https://example.org/labels.csv')": ("network", "suspect"),
    "import subprocess": ("process", "refuse"),
    "import os\nos.system('ls')": ("process", "refuse"),
    "from os import fork\nfork()": ("process", "refuse"),
    "import os as o\nwhile True: o.fork()": ("process", "refuse"),
    "import os, signal\nos.kill(os.getppid(), 9)": ("process", "refuse"),
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)": ("limits", "suspect"),
    "import multiprocessing": ("process", "note"),
    "from multiprocessing import Pool\nPool(4)": ("process", "suspect"),
    "import ctypes": ("memory", "refuse"),
    "open('/proc/1/environ').read()": ("memory", "refuse"),
    "open(b'/proc/self/mem', 'rb')": ("memory", "refuse"),
    "open(f'/proc/{parent}/mem')": ("memory", "refuse"),
    "import gc\ngc.get_objects()": ("memory", "suspect"),
    "import sys\nsys._getframe(1).f_back": ("memory", "suspect"),
    "import os\nos.environ['ANTHROPIC_API_KEY']": ("environment", "suspect"),
    "from os import environ\ndict(environ)": ("environment", "suspect"),
    "import os\nos.getenv('SECRET')": ("environment", "suspect"),
    "import loom": ("scorer", "refuse"),
    "from loom.science import metrics": ("scorer", "refuse"),
    "import sklearn.metrics\nsklearn.metrics.roc_auc_score = lambda *a: 1.0": ("scorer", "suspect"),
    "from sklearn import metrics as m\nm.roc_auc_score = cheat": ("scorer", "suspect"),
    "import pandas as pd\nsetattr(pd, 'read_csv', mine)": ("scorer", "suspect"),
    "import sys\nsys.modules['loom.science.metrics'] = fake": ("scorer", "suspect"),
    "import builtins\nbuiltins.open = mine": ("scorer", "suspect"),
    "open('../labels.csv')": ("outside", "suspect"),
    "open('input/../../answers.csv')": ("outside", "suspect"),
    "open('/home/me/labels.csv')": ("outside", "suspect"),
    "pd.read_csv('/kaggle/input/train.csv')": ("outside", "suspect"),
    "open('~/labels.csv')": ("outside", "suspect"),
    "open('C:\\\\labels.csv')": ("outside", "suspect"),
    "from pathlib import Path\nPath.home()": ("outside", "suspect"),
    "from pathlib import Path\nPath(__file__).resolve().parents[3]": ("outside", "suspect"),
    "from pathlib import Path\nPath(__file__).parent.parent": ("outside", "suspect"),
    "import os\nos.symlink('a', 'working/submission.csv')": ("outside", "suspect"),
    "exec('x = 1')": ("built_code", "note"),
    "__import__('so' + 'cket')": ("built_code", "note"),
    "__import__('socket')": ("network", "refuse"),
    "import importlib\nimportlib.import_module('subprocess')": ("process", "refuse"),
    "import os\ngetattr(os, 'sys' + 'tem')('ls')": ("built_code", "suspect"),
    "x = (1,": ("not_python", "refuse"),
    "x = 1\x00": ("not_python", "refuse"),
    "x = " + "-" * 3_000 + "1": ("not_python", "refuse"),
    "x = " + "(" * 5_000 + ")" * 5_000: ("not_python", "refuse"),
    "x = " + "9" * 10_000: ("not_python", "refuse"),
    "#" * 200_001: ("too_long", "refuse"),
}


@pytest.mark.parametrize("code", BAD, ids=lambda code: code[:40])
def test_what_a_script_must_not_do_is_named(code: str) -> None:
    assert BAD[code] in found(code)


def test_each_smell_has_its_line_and_a_sentence() -> None:
    (smell,) = lint("x = 1\n\nimport socket\n")
    assert (smell.line, smell.code) == (3, "network")
    assert smell.what == "it reaches for the network: `socket`"
    assert {code for code, _ in BAD.values()} <= set(CODES)


START = "import pandas as pd\ntrain = pd.read_csv('input/train.csv')\ntest = pd.read_parquet('input/test.parquet')\n"
LEAKS = {
    "both = pd.concat([train, test])\nscaler.fit(both)": "suspect",
    "parts = [train, test]\nboth = pd.concat(parts, axis=0)\nx = scaler.fit_transform(both[['a', 'b']])": "suspect",
    "both = train.append(test)\nfor c in both.columns:\n    enc.fit(both[c].astype(str))": "suspect",
    "import numpy as np\nx = np.vstack((train.to_numpy(), test.to_numpy()))\npca.fit(x)": "suspect",
    "def make(a, b):\n    both = pd.concat([a, b])\n    return enc.fit_transform(both)\nmake(train, test)": "suspect",
    "def join(one, other):\n    return pd.concat([one, other])\nenc.fit(join(train, test))": "suspect",
    "enc.fit(test)": "suspect",
    "enc.fit(X=test.drop(columns=['row_id']))": "suspect",
    "def fit(known, ctx):\n    new = pd.read_csv('input/test.csv')\n    enc.fit(pd.concat([known, new]))": "suspect",
    "def predict(model, rows):\n    return enc.fit_transform(rows)": "suspect",
    "both = pd.concat([train, test])\nd = pd.get_dummies(both)": "note",
    "both = pd.concat([train, test])\nboth['a'] = both['a'].rank()": "note",
}
FINE = [
    "both = pd.concat([train, test])\nx = both[:len(train)]\nmodel.fit(x, train['y'])",
    "both = pd.concat([train, test])\nmask = both['y'].notna()\nmodel.fit(both[mask])",
    "both = pd.concat([train, test])\nx = scaler.fit(train).transform(both)",
    "def clean(frame):\n    return frame.fillna(0)\nmodel.fit(clean(train))\nmodel.predict(clean(test))",
    "def clean(frame):\n    enc.fit(frame)\n    return frame\nclean(train)",
    "train, valid = split(train)\nmodel.fit(train)\nmodel.predict(test)",
    "model.fit(train, eval_set=[(test, y)])",
    "p = model.predict(test)\ncalibrator.fit(oof)\ntest['y'] = p",
]


@pytest.mark.parametrize("code", LEAKS)
def test_what_is_learned_from_rows_to_be_predicted_is_found(code: str) -> None:
    assert ("fit_on_test", LEAKS[code]) in found(START + code)


@pytest.mark.parametrize("code", FINE)
def test_what_is_learned_from_training_rows_is_fine(code: str) -> None:
    assert found(START + code) == set()


@pytest.mark.parametrize(
    "code",
    ["answers = test['y']", "answers = test.y", "answers = test[target]", "answers = test[ctx.target]"],
)
def test_the_answer_is_not_asked_of_rows_to_be_predicted(code: str) -> None:
    assert found(START + code) == {("target_from_test", "suspect")}
    assert found(START + code.replace("test", "train")) == set()


def test_scripts_that_do_the_same_have_one_digest() -> None:
    one = 'def fit(train, ctx):\n    """Fit."""\n    return  1\n'
    same = "# written otherwise\ndef fit( train, ctx ):\n\n    return 1"
    assert ast_digest(one) == ast_digest(same)
    assert ast_digest(one) != ast_digest(one.replace("1", "2"))
    assert ast_digest("x = (") != ast_digest("x = [")
    assert ast_digest("x = " + "(" * 5_000 + ")" * 5_000)
