# Features, classifier, metrics, flux response and embedding map.


rule fetch_clip:
    """Fetch the weights of CLIP from the model hub."""
    output:
        weights=PLAN.fetched_clip_weights,
        manifest=f"{PLAN.fetched_clip_weights}.manifest.json",
    log:
        f"{RESULTS}/logs/fetch_clip.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_clip.tsv"
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(2000),
        runtime=60,
    params:
        code=PLAN.code("fetch_clip"),
    shell:
        "python workflow/scripts/fetch_clip.py --output {output.weights:q}"
        " > {log:q} 2>&1"


rule controls:
    """Make the images of the controls from training images."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
    output:
        samples=expand(f"{RESULTS}/samples/{{control}}.h5", control=CONTROLS),
    log:
        f"{RESULTS}/logs/controls.log",
    benchmark:
        f"{RESULTS}/benchmarks/controls.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        population=PLAN.population,
        per_class=PLAN.per_class,
        seed=CONFIG.seed,
        code=PLAN.code("controls"),
    shell:
        "python workflow/scripts/controls.py --dataset {input.dataset:q}"
        " --population {params.population} --per-class {params.per_class} --seed {params.seed}"
        " --output {output.samples:q}"
        " > {log:q} 2>&1"


rule features_real:
    """Encode the real images of every split, and the controls made of them."""
    input:
        images=[
            f"{RESULTS}/dataset/dataset.h5",
            *expand(f"{RESULTS}/samples/{{control}}.h5", control=CONTROLS),
        ],
        weights=lambda wildcards: PLAN.encoder_inputs(wildcards.encoder),
    output:
        features=expand(
            f"{RESULTS}/features/{{{{encoder}}}}/{{name}}.h5", name=["real", *CONTROLS]
        ),
    log:
        f"{RESULTS}/logs/features_{{encoder}}_real.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_{{encoder}}_real.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=120,
        gpu=1,
    params:
        weights=lambda wildcards: [
            f"--weights={path}" for path in PLAN.encoder_weights(wildcards.encoder)
        ],
        raw=lambda wildcards: PLAN.encoder_state(wildcards.encoder),
        code=PLAN.code("features"),
    shell:
        "python workflow/scripts/features.py --images {input.images:q}"
        " --encoder {wildcards.encoder} {params.weights:q} --output {output.features:q}"
        " > {log:q} 2>&1"


use rule features_real as features_generated with:
    input:
        images=f"{RESULTS}/samples/{{model}}.h5",
        weights=lambda wildcards: PLAN.encoder_inputs(wildcards.encoder),
    output:
        features=f"{RESULTS}/features/{{encoder}}/{{model}}.h5",
    log:
        f"{RESULTS}/logs/features_{{encoder}}_{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/features_{{encoder}}_{{model}}.tsv"


rule classifier:
    """Train the classifier on real images; the validation split selects the epoch."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
    output:
        weights=f"{RESULTS}/metrics/classifier.safetensors",
    log:
        f"{RESULTS}/logs/classifier.log",
    benchmark:
        f"{RESULTS}/benchmarks/classifier.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=120,
        gpu=1,
    params:
        settings=CONFIG.evaluation.classifier.model_dump_json(),
        seed=CONFIG.seed,
        code=PLAN.code("classifier"),
    shell:
        "python workflow/scripts/classifier.py --dataset {input.dataset:q}"
        " --settings {params.settings:q} --seed {params.seed} --output {output.weights:q}"
        " > {log:q} 2>&1"


rule metrics:
    """Measure real images, controls and models against the training split."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        samples=expand(f"{RESULTS}/samples/{{row}}.h5", row=PLAN.rows),
        features=expand(
            f"{RESULTS}/features/{{encoder}}/real.h5",
            encoder=CONFIG.evaluation.encoders,
        ),
        generated=expand(
            f"{RESULTS}/features/{{encoder}}/{{row}}.h5",
            encoder=CONFIG.evaluation.encoders,
            row=PLAN.rows,
        ),
        classifier=f"{RESULTS}/metrics/classifier.safetensors",
    output:
        metrics=expand(f"{RESULTS}/metrics/{{name}}.json", name=["real", *PLAN.rows]),
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=120,
    params:
        settings=CONFIG.evaluation.model_dump_json(exclude={"flux_response"}),
        population=PLAN.population,
        seed=CONFIG.seed,
        code=PLAN.code("metrics"),
    shell:
        "python workflow/scripts/metrics.py --dataset {input.dataset:q} --samples {input.samples:q}"
        " --features {input.features:q} --generated-features {input.generated:q}"
        " --population {params.population} --classifier {input.classifier:q}"
        " --settings {params.settings:q} --seed {params.seed} --output {output.metrics:q}"
        " > {log:q} 2>&1"


rule metrics_summary:
    """Summarise the metrics of real images, controls and models in one table."""
    input:
        metrics=expand(f"{RESULTS}/metrics/{{name}}.json", name=["real", *PLAN.rows]),
    output:
        json=f"{RESULTS}/metrics/summary.json",
        csv=f"{RESULTS}/metrics/summary.csv",
    log:
        f"{RESULTS}/logs/metrics_summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics_summary.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(1000),
        runtime=10,
    params:
        code=PLAN.code("metrics_summary"),
    shell:
        "python workflow/scripts/metrics_summary.py --metrics {input.metrics:q}"
        " --output-json {output.json:q} --output-csv {output.csv:q}"
        " > {log:q} 2>&1"


rule flux_response:
    """Measure how the activity of a model's images follows the requested X-ray flux."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        grid=f"{RESULTS}/samples/flux_response/{{model}}.h5",
        samples=f"{RESULTS}/samples/{{model}}.h5",
    output:
        json=f"{RESULTS}/metrics/flux_response/{{model}}.json",
        csv=f"{RESULTS}/metrics/flux_response/{{model}}.csv",
    log:
        f"{RESULTS}/logs/flux_response_{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/flux_response_{{model}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        repeats=CONFIG.evaluation.repeats,
        block_days=CONFIG.evaluation.block_days,
        seed=CONFIG.seed,
        code=PLAN.code("flux_response"),
    shell:
        "python workflow/scripts/flux_response.py --name {wildcards.model}"
        " --dataset {input.dataset:q} --grid {input.grid:q} --samples {input.samples:q}"
        " --repeats {params.repeats} --block-days {params.block_days} --seed {params.seed}"
        " --output-json {output.json:q} --output-csv {output.csv:q}"
        " > {log:q} 2>&1"


rule physics:
    """Measure physical statistics and curves of every model and of real images."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        samples=expand(f"{RESULTS}/samples/{{row}}.h5", row=PLAN.rows),
    output:
        statistics=f"{RESULTS}/metrics/physics.json",
        curves=f"{RESULTS}/metrics/physics_curves.json",
    log:
        f"{RESULTS}/logs/physics.log",
    benchmark:
        f"{RESULTS}/benchmarks/physics.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        block_days=CONFIG.evaluation.block_days,
        seed=CONFIG.seed,
        code=PLAN.code("physics"),
    shell:
        "python workflow/scripts/physics.py --dataset {input.dataset:q} --samples {input.samples:q}"
        " --block-days {params.block_days} --seed {params.seed}"
        " --output {output.statistics:q} --output-curves {output.curves:q}"
        " > {log:q} 2>&1"


rule memorisation:
    """Measure the share of near copies of training images in every set of images."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        samples=expand(f"{RESULTS}/samples/{{row}}.h5", row=PLAN.rows),
    output:
        json=f"{RESULTS}/metrics/memorisation.json",
        csv=f"{RESULTS}/metrics/memorisation.csv",
    log:
        f"{RESULTS}/logs/memorisation.log",
    benchmark:
        f"{RESULTS}/benchmarks/memorisation.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=30,
    params:
        block_days=CONFIG.evaluation.block_days,
        seed=CONFIG.seed,
        code=PLAN.code("memorisation"),
    shell:
        "python workflow/scripts/memorisation.py --dataset {input.dataset:q}"
        " --samples {input.samples:q} --block-days {params.block_days} --seed {params.seed}"
        " --output-json {output.json:q} --output-csv {output.csv:q}"
        " > {log:q} 2>&1"


rule embedding_map:
    """Map the training images in the ceVAE's latent space to two dimensions."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        weights=f"{RESULTS}/models/{PLAN.autoencoder}/weights.safetensors",
    output:
        table=f"{RESULTS}/metrics/cevae_embedding.csv",
    log:
        f"{RESULTS}/logs/embedding_map.log",
    benchmark:
        f"{RESULTS}/benchmarks/embedding_map.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=60,
    params:
        folder=subpath(input.weights, parent=True),
        seed=CONFIG.seed,
        code=PLAN.code("embedding_map"),
    shell:
        "python workflow/scripts/embedding_map.py --dataset {input.dataset:q}"
        " --cevae {params.folder:q} --seed {params.seed} --output {output.table:q}"
        " > {log:q} 2>&1"
