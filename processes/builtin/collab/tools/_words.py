"""The only words that a bundle may hold: whatever a summary says beside them stays here."""

from __future__ import annotations

VERBS = (
    *("collab", "deploy", "ds-lifecycle", "eda", "eval-candidate", "features", "ingest", "ops", "optimize"),
    *("pipeline", "report", "telemetry", "train", "validate", "viz"),
)
FLOWS = (
    *("CollabFlow", "DeployFlow", "DsLifecycleFlow", "EdaFlow", "EvalCandidate", "FeaturesFlow"),
    *("IngestDataset", "OpsFlow", "OptimizeFlow", "PipelineFlow", "ReportFlow", "TrainFlow"),
    *("ValidateFlow", "VizFlow"),
)
STATUSES = ("ok", "failed", "blocked", "refused", "error", "interrupted", "running")
VERDICTS = (
    *("OK", "FLAGGED", "BUILT", "BLOCKED", "PASS", "REVIEW", "FAIL", "STAGED", "DEPLOYED", "BEST", "EMPTY"),
    *("WARN", "DRIFT", "SENT", "PLANNED", "ERROR", "REFUSED", "REFUSED_NO_GPU_TARGET"),
    *("REFUSED_NO_PROVIDER", "REFUSED_UNSUPPORTED"),
)
SEVERITIES = ("error", "warning", "info")
TASKS = ("binary", "multiclass", "regression")
METRICS = (
    *("auc", "logloss", "accuracy", "balanced_accuracy", "f1", "ap", "brier", "mcc", "rmse", "mae", "r2"),
    *("mape", "rmsle", "qwk", "ndcg"),
)
DIRECTIONS = ("higher", "lower")
OPERATORS = (">=", ">", "<=", "<")
ROLES = ("numeric", "categorical", "text", "date", "id", "constant", "boolean", "empty", "nested")
TYPES = (
    *("text", "category", "boolean", "date", "datetime", "time", "duration", "decimal", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "binary", "null"),
)
MEASURES = ("pearson", "spearman", "cramers_v", "correlation_ratio")
SPLITTERS = ("time+group", "time", "group", "stratified", "kfold", "unknown")
RECIPES = ("full", "minimal")
OPERATIONS = (
    *("fill_scale", "is_missing", "truth", "one_hot", "frequency", "target_encode", "date_parts", "days"),
    *("difference", "ratio", "group_mean", "text_shape", "text_hash"),
)
FAMILIES = (
    *("baseline", "blend", "boosted", "catboost", "dummy", "extratrees", "forest", "knn", "lightgbm"),
    *("linear", "logistic", "mlp", "portfolio", "ridge", "stack", "svm", "xgboost"),
)
LIBRARIES = (
    *(
        "catboost",
        "lightgbm",
        "loom",
        "mlflow",
        "numpy",
        "pandas",
        "polars",
        "pyarrow",
        "scikit-learn",
        "scipy",
    ),
    *("threadpoolctl", "xgboost"),
)
MODELS = ("the default portfolio", "a linear model", "the same for all", "this model", "this model, refitted")
LEAKS = (
    *("monotone_copy", "missingness", "post_event_name", "level_purity", "separates_target", "strong_alone"),
    *("missingness_informative", "separates_class", "pure_levels", "stands_alone", "id_knows_target"),
    *("duplicates", "conflicts", "near_duplicates", "train_test_overlap", "future_dated", "row_order"),
    *("together", "canary", "entity_on_both_sides", "target"),
)
LOOKED = ("ok", "note", "suspect", "skipped")
DROPPED = (*LEAKS, "id", "all_missing", "constant", "nested", "flagged")
DRIFTS = ("distribution", "missing", "unseen_levels", "out_of_range", "target", "prediction")
COMPARED = ("numbers", "levels", "lengths", "gaps", "nothing")
CODES = (
    *LEAKS,
    *DRIFTS,
    *("leak_used", "suspect_used", "overlap", "canary_broken", "no_holdout", "target_missing"),
    *("not_above_dummy", "chance", "below_cv", "imprecise", "worse_than_simple", "miscalibrated"),
    *("threshold_missed", "bad_slice", "unfair", "distinguishable", "horizon_assumed", "holdout_reused"),
    *("not_measured", "nothing_to_accept", "slice", "calibration_error", "calibration_slope"),
    *("calibration_unknown", "brier_skill", "demographic_parity", "equalized_odds", "group_auc"),
    *("mean_error_gap", "insufficient_group", "all_missing", "constant", "conflicting_rows"),
    *("duplicate_rows", "few_rows", "mixed_dates", "mixed_types", "possible_group", "rare_class"),
    *("target_constant", "more_findings", "nothing_to_model", "no_target", "leaks_untested", "as_ingested"),
    *("leaks_unchecked", "target_inferred", "leak_dropped", "suspect_kept", "from_other_data"),
    *("from_other_target", "target_flagged", "nothing_left", "new_column", "removed_column", "type"),
    *("same_object", "no_scores", "several_metrics", "suspect", "failures", "slower", "nothing_there"),
    *("no_validation", "verdict_not_pass", "leaks_unknown", "data_changed", "model_changed"),
    *("not_servable", "below_floor", "floor_not_measured", "plan_changed", "not_staged", "dependency"),
    *("tool_failure", "contract_failure", "safety_failure", "timeout_failure", "io_failure", "stopped"),
)
RATES = (
    *("base_rate", "selection_rate", "tpr", "fpr", "precision", "auc", "calibration", "mean_error", "mae"),
    *("rmse", "mean"),
)
GAPS = (
    *("demographic_parity_ratio", "demographic_parity_difference", "equalized_odds_difference"),
    *("mean_error_gap", "mae_gap"),
)
