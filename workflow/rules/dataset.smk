# Dataset: labels, averaged frames, index and splits, labelled images.


rule labels:
    """Label every frame with a GOES class and a flux, and select the frames to use."""
    input:
        frames=expand(
            f"{RESULTS}/observations/frames_{{year}}.csv", year=PLAN.raw_inputs.years
        ),
        xrs=f"{RESULTS}/observations/xrs.h5",
        flares=f"{RESULTS}/observations/flares.csv",
    output:
        table=f"{RESULTS}/dataset/labels.csv",
    log:
        f"{RESULTS}/logs/labels.log",
    benchmark:
        f"{RESULTS}/benchmarks/labels.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        settings=CONFIG.dataset.labels.model_dump_json(),
        classes=CONFIG.dataset.classes,
        code=PLAN.code("labels"),
    shell:
        "python workflow/scripts/labels.py --frames {input.frames:q} --xrs {input.xrs:q}"
        " --flares {input.flares:q} --settings {params.settings:q} --classes {params.classes}"
        " --output {output.table:q}"
        " > {log:q} 2>&1"


rule cross_check:
    """Check the labels against flare list and light curve, before any image is read."""
    input:
        labels=f"{RESULTS}/dataset/labels.csv",
        xrs=f"{RESULTS}/observations/xrs.h5",
        flares=f"{RESULTS}/observations/flares.csv",
    output:
        counts=f"{RESULTS}/dataset/cross_check.json",
    log:
        f"{RESULTS}/logs/cross_check.log",
    benchmark:
        f"{RESULTS}/benchmarks/cross_check.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        window=CONFIG.dataset.labels.window_minutes,
        settings=CONFIG.dataset.cross_check.model_dump_json(),
        classes=CONFIG.dataset.classes,
        required=(
            "--require-all-classes"
            if CONFIG.dataset.scarce_classes == "refuse"
            else ""
        ),
        code=PLAN.code("cross_check"),
    shell:
        "python workflow/scripts/cross_check.py --labels {input.labels:q} --xrs {input.xrs:q}"
        " --flares {input.flares:q} --window {params.window} --settings {params.settings:q}"
        " --classes {params.classes} {params.required} --output {output.counts:q}"
        " > {log:q} 2>&1"


rule intensities:
    """Read the selected frames of a year, each chunk once, and average them to the image size."""
    input:
        raw=PLAN.raw_inputs.aia_depends_on,
        labels=f"{RESULTS}/dataset/labels.csv",
        # Only its existence counts: other limits do not change the images.
        checked=ancient(f"{RESULTS}/dataset/cross_check.json"),
    output:
        images=f"{RESULTS}/dataset/intensities/{{year}}.h5",
        manifest=f"{RESULTS}/dataset/intensities/{{year}}.manifest.json",
    log:
        f"{RESULTS}/logs/intensities_{{year}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/intensities_{{year}}.tsv"
    localrule: PLAN.raw_inputs.store_is_remote
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=720,
    params:
        store=lambda wildcards: PLAN.raw_inputs.aia_store,
        channel=CONFIG.dataset.channel,
        size=CONFIG.dataset.image_size_px,
        raw=lambda wildcards: PLAN.raw_states.images[int(wildcards.year)],
        code=PLAN.code("intensities"),
    shell:
        "python workflow/scripts/intensities.py --labels {input.labels:q} --store {params.store:q}"
        " --year {wildcards.year} --channel {params.channel} --size {params.size}"
        " --output {output.images:q}"
        " > {log:q} 2>&1"


rule index:
    """Join labels and quality, reject bad frames, and split by blocks of time."""
    input:
        labels=f"{RESULTS}/dataset/labels.csv",
        intensities=expand(
            f"{RESULTS}/dataset/intensities/{{year}}.h5", year=PLAN.raw_inputs.years
        ),
        cross_check=f"{RESULTS}/dataset/cross_check.json",
        reports=[
            f"{RESULTS}/observations/flares.json",
            f"{RESULTS}/observations/xrs.json",
            *expand(
                f"{RESULTS}/observations/frames_{{year}}.json",
                year=PLAN.raw_inputs.years,
            ),
        ],
    output:
        table=f"{RESULTS}/dataset/index.csv",
        summary=f"{RESULTS}/dataset/summary.json",
    log:
        f"{RESULTS}/logs/index.log",
    benchmark:
        f"{RESULTS}/benchmarks/index.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        settings=CONFIG.dataset.model_dump_json(exclude={"cross_check"}),
        code=PLAN.code("index"),
    shell:
        "python workflow/scripts/index.py --labels {input.labels:q}"
        " --intensities {input.intensities:q} --cross-check {input.cross_check:q}"
        " --inputs {input.reports:q} --settings {params.settings:q}"
        " --output {output.table:q} --summary {output.summary:q}"
        " > {log:q} 2>&1"


rule dataset:
    """Scale intensities to [−1, 1] and write the labelled images of each split."""
    input:
        index=f"{RESULTS}/dataset/index.csv",
        summary=f"{RESULTS}/dataset/summary.json",
        intensities=expand(
            f"{RESULTS}/dataset/intensities/{{year}}.h5", year=PLAN.raw_inputs.years
        ),
    output:
        images=f"{RESULTS}/dataset/dataset.h5",
    log:
        f"{RESULTS}/logs/dataset.log",
    benchmark:
        f"{RESULTS}/benchmarks/dataset.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=60,
    params:
        channel=CONFIG.dataset.channel,
        # A function, since Snakemake would take braces in a plain string for wildcards.
        observations=lambda wildcards: CONFIG.observations,
        code=PLAN.code("dataset"),
    shell:
        "python workflow/scripts/dataset.py --index {input.index:q} --summary {input.summary:q}"
        " --intensities {input.intensities:q} --channel {params.channel}"
        " --observations {params.observations:q} --output {output.images:q}"
        " > {log:q} 2>&1"


rule likeness:
    """Measure the similarity of frames by the time between them, and across the splits."""
    input:
        index=f"{RESULTS}/dataset/index.csv",
        intensities=expand(
            f"{RESULTS}/dataset/intensities/{{year}}.h5", year=PLAN.raw_inputs.years
        ),
    output:
        likeness=f"{RESULTS}/dataset/likeness.json",
    log:
        f"{RESULTS}/logs/likeness.log",
    benchmark:
        f"{RESULTS}/benchmarks/likeness.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        channel=CONFIG.dataset.channel,
        code=PLAN.code("likeness"),
    shell:
        "python workflow/scripts/likeness.py --index {input.index:q}"
        " --intensities {input.intensities:q} --channel {params.channel}"
        " --output {output.likeness:q}"
        " > {log:q} 2>&1"
