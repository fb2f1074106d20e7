"""The step decorator, by the name that a flow's command line knows it by."""

STEP_DECORATORS_DESC = [("loom_warm", ".warm.WarmDecorator")]
