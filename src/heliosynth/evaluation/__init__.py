"""The metrics of the study: pure functions of arrays that return value, spread and n."""
