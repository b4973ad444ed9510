# Figures, tables, macros, paper and report, from the products of the run.


rule configuration:
    """Write the resolved configuration of the run."""
    output:
        json=f"{RESULTS}/config.json",
    log:
        f"{RESULTS}/logs/configuration.log",
    benchmark:
        f"{RESULTS}/benchmarks/configuration.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(500),
        runtime=5,
    params:
        configuration=lambda wildcards: CONFIG.model_dump_json(),
        code=PLAN.code("configuration"),
    shell:
        "python workflow/scripts/configuration.py --configuration {params.configuration:q}"
        " --output {output.json:q}"
        " > {log:q} 2>&1"


rule figure:
    """Plot a figure."""
    input:
        products=lambda wildcards: PLAN.figure_inputs(wildcards.figure),
        raw=lambda wildcards: PLAN.figure_raw_inputs(wildcards.figure),
    output:
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
        png=f"{RESULTS}/figures/{{figure}}.png",
    log:
        f"{RESULTS}/logs/figure_{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure_{{figure}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=20,
    params:
        results=subpath(output.pdf, ancestor=2),
        presentation=PLAN.presentation,
        raw=lambda wildcards: PLAN.figure_raw_options(wildcards.figure),
        raw_state=lambda wildcards: PLAN.figure_raw_state(wildcards.figure),
        code=lambda wildcards: PLAN.figure_code(wildcards.figure),
    shell:
        "python workflow/scripts/figure.py --name {wildcards.figure} --results {params.results:q}"
        " --presentation {params.presentation:q} {params.raw:q}"
        " --pdf {output.pdf:q} --png {output.png:q}"
        " > {log:q} 2>&1"


rule table:
    """Write a table as LaTeX and CSV."""
    input:
        products=lambda wildcards: PLAN.table_inputs(wildcards.table),
    output:
        tex=f"{RESULTS}/tables/{{table}}.tex",
        csv=f"{RESULTS}/tables/{{table}}.csv",
    log:
        f"{RESULTS}/logs/table_{{table}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table_{{table}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=10,
    params:
        results=subpath(output.tex, ancestor=2),
        presentation=PLAN.presentation,
        code=PLAN.code("table"),
    shell:
        "python workflow/scripts/table.py --name {wildcards.table} --results {params.results:q}"
        " --presentation {params.presentation:q} --tex {output.tex:q} --csv {output.csv:q}"
        " > {log:q} 2>&1"


rule numbers:
    """Write the macros of the paper: its numbers and statements."""
    input:
        products=PLAN.number_inputs,
    output:
        tex=f"{RESULTS}/tables/numbers.tex",
    log:
        f"{RESULTS}/logs/numbers.log",
    benchmark:
        f"{RESULTS}/benchmarks/numbers.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=10,
    params:
        results=subpath(output.tex, ancestor=2),
        code=PLAN.code("macros"),
    shell:
        "python workflow/scripts/macros.py --results {params.results:q} --output {output.tex:q}"
        " > {log:q} 2>&1"


rule paper:
    """Compile the paper."""
    input:
        sources=["paper/main.tex", "paper/refs.bib"],
        numbers=f"{RESULTS}/tables/numbers.tex",
        tables=expand(f"{RESULTS}/tables/{{table}}.tex", table=PLAN.tables),
        figures=expand(f"{RESULTS}/figures/{{figure}}.pdf", figure=PLAN.figures),
    output:
        pdf=f"{RESULTS}/paper.pdf",
    log:
        f"{RESULTS}/logs/paper.log",
    benchmark:
        f"{RESULTS}/benchmarks/paper.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=10,
    params:
        results=subpath(output.pdf, parent=True),
        code=PLAN.code("paper"),
    shell:
        "python workflow/scripts/paper.py --paper paper --results {params.results:q}"
        " --output {output.pdf:q}"
        " > {log:q} 2>&1"


rule pack_report:
    """Write the report: the paper and the products behind it, without images and weights."""
    input:
        config=f"{RESULTS}/config.json",
        paper=f"{RESULTS}/paper.pdf",
    output:
        report=f"{RESULTS}/report.zip",
    log:
        f"{RESULTS}/logs/pack_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/pack_report.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=10,
    params:
        results=subpath(output.report, parent=True),
        code=PLAN.code("pack_report"),
    shell:
        "python workflow/scripts/pack_report.py --results {params.results:q}"
        " --output {output.report:q}"
        " > {log:q} 2>&1"
