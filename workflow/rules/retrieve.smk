# Raw inputs, and the tables of frames, X-rays and flares that are read from them.
#
# Rules that need the network run on the host of Snakemake: the fetch rules, and those that read a
# remote store.


rule simulate:
    """Simulate an observation, in the archives' formats."""
    output:
        raw=directory(f"{RESOURCES}/simulated"),
        manifest=f"{RESOURCES}/simulated.manifest.json",
    log:
        f"{RESULTS}/logs/simulate.log",
    benchmark:
        f"{RESULTS}/benchmarks/simulate.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=20,
    params:
        settings=CONFIG.simulation.model_dump_json(),
        channel=CONFIG.dataset.channel,
        seed=CONFIG.seed,
        code=PLAN.code("simulate"),
    shell:
        "python workflow/scripts/simulate.py --settings {params.settings:q}"
        " --channel {params.channel} --seed {params.seed} --output {output.raw:q}"
        " > {log:q} 2>&1"


rule fetch_xrs:
    """Fetch a year of GOES XRS light curves from NOAA."""
    output:
        raw=directory(f"{RESOURCES}/goes/{{year}}"),
        manifest=f"{RESOURCES}/goes/{{year}}.manifest.json",
    log:
        f"{RESULTS}/logs/fetch_xrs_{{year}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_xrs_{{year}}.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=240,
    params:
        satellites=CONFIG.online.xrs_satellites if CONFIG.online else [],
        code=PLAN.code("fetch_xrs"),
    shell:
        "python workflow/scripts/fetch_xrs.py --year {wildcards.year}"
        " --satellites {params.satellites} --output {output.raw:q}"
        " > {log:q} 2>&1"


rule fetch_flares:
    """Fetch a year of SWPC's flares from the Heliophysics Event Knowledgebase."""
    output:
        raw=f"{RESOURCES}/hek/{{year}}.json",
        manifest=f"{RESOURCES}/hek/{{year}}.manifest.json",
    log:
        f"{RESULTS}/logs/fetch_flares_{{year}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_flares_{{year}}.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=240,
    params:
        code=PLAN.code("fetch_flares"),
    shell:
        "python workflow/scripts/fetch_flares.py --year {wildcards.year} --output {output.raw:q}"
        " > {log:q} 2>&1"


rule calibrate:
    """Calibrate AIA level-1 FITS files into a store in SDOMLv2's layout."""
    input:
        raw=[PLAN.raw_inputs.level1_folder or []],
    output:
        store=directory(f"{RESOURCES}/level1.zarr"),
        manifest=f"{RESOURCES}/level1.zarr.manifest.json",
        report=f"{RESOURCES}/level1.json",
    log:
        f"{RESULTS}/logs/calibrate.log",
    benchmark:
        f"{RESULTS}/benchmarks/calibrate.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    threads: workflow.cores or 1
    resources:
        mem_mb=lambda wildcards, attempt, threads: memory_per_attempt(2000 * threads)(
            wildcards, attempt
        ),
        runtime=720,
    params:
        files=lambda wildcards: PLAN.raw_inputs.level1_folder or "",
        raw=PLAN.raw_states.level1,
        settings=lambda wildcards: (
            CONFIG.level1.model_dump_json() if CONFIG.level1 else ""
        ),
        channel=CONFIG.dataset.channel,
        years=PLAN.raw_inputs.years,
        code=PLAN.code("calibrate"),
    shell:
        "python workflow/scripts/calibrate.py --files {params.files:q} --settings {params.settings:q}"
        " --channel {params.channel} --workers {threads} --years {params.years}"
        " --output {output.store:q} --report {output.report:q}"
        " > {log:q} 2>&1"


rule frames:
    """List the frames of a year, with their times and quality."""
    input:
        raw=PLAN.raw_inputs.aia_depends_on,
    output:
        table=f"{RESULTS}/observations/frames_{{year}}.csv",
        report=f"{RESULTS}/observations/frames_{{year}}.json",
    log:
        f"{RESULTS}/logs/frames_{{year}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/frames_{{year}}.tsv"
    localrule: PLAN.raw_inputs.store_is_remote
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=30,
    params:
        store=lambda wildcards: PLAN.raw_inputs.aia_store,
        channel=CONFIG.dataset.channel,
        raw=lambda wildcards: PLAN.raw_states.frames[int(wildcards.year)],
        code=PLAN.code("frames"),
    shell:
        "python workflow/scripts/frames.py --store {params.store:q} --year {wildcards.year}"
        " --channel {params.channel} --output {output.table:q} --report {output.report:q}"
        " > {log:q} 2>&1"


rule xrs:
    """Read the GOES XRS light curves into one series with its flux scale."""
    input:
        raw=PLAN.raw_inputs.xrs_depends_on,
    output:
        series=f"{RESULTS}/observations/xrs.h5",
        report=f"{RESULTS}/observations/xrs.json",
    log:
        f"{RESULTS}/logs/xrs.log",
    benchmark:
        f"{RESULTS}/benchmarks/xrs.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=60,
    params:
        files=lambda wildcards: PLAN.raw_inputs.xrs_files,
        scale=CONFIG.dataset.xrs_csv_scale,
        raw=PLAN.raw_states.xrs,
        code=PLAN.code("xrs"),
    shell:
        "python workflow/scripts/xrs.py --files {params.files:q} --csv-scale {params.scale}"
        " --output {output.series:q} --report {output.report:q}"
        " > {log:q} 2>&1"


rule flares:
    """Read the flare lists into one table without duplicates."""
    input:
        raw=PLAN.raw_inputs.flare_depends_on,
    output:
        table=f"{RESULTS}/observations/flares.csv",
        report=f"{RESULTS}/observations/flares.json",
    log:
        f"{RESULTS}/logs/flares.log",
    benchmark:
        f"{RESULTS}/benchmarks/flares.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=30,
    params:
        files=lambda wildcards: PLAN.raw_inputs.flare_files,
        raw=PLAN.raw_states.flares,
        code=PLAN.code("flares"),
    shell:
        "python workflow/scripts/flares.py --files {params.files:q} --output {output.table:q}"
        " --report {output.report:q}"
        " > {log:q} 2>&1"


rule verify:
    """Check that no raw input changed since it was fetched or read."""
    input:
        manifests=PLAN.manifests,
    log:
        f"{RESULTS}/logs/verify.log",
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=120,
    params:
        code=PLAN.code("verify"),
    shell:
        "python workflow/scripts/verify.py --manifests {input.manifests:q} > {log:q} 2>&1"
