"""The paper: macros, tables, LaTeX, and the report of a run."""
