"""The metrics of the study: pure functions of arrays that give value, spread and n."""
