"""What is recommended, in words."""

VERDICTS = {
    "seize-indicated": "seize indicated",
    "return-indicated": "return indicated",
    "not-determined": "not determined",
}
"""By the values of `triage.model.recommendation.Verdict`."""
