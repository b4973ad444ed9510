# One rule trains all models; one samples all models, in `sampling.shards` jobs per model.


rule train:
    """Train a model; an interrupted training resumes from its last checkpoint."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        embedding=lambda wildcards: [
            f"{folder}/weights.safetensors"
            for folder in PLAN.embedding_model(wildcards.model)
        ],
    output:
        config=f"{RESULTS}/models/{{model}}/config.json",
        weights=f"{RESULTS}/models/{{model}}/weights.safetensors",
        history=f"{RESULTS}/models/{{model}}/history.csv",
        training=f"{RESULTS}/models/{{model}}/training.json",
    log:
        f"{RESULTS}/logs/train_{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_{{model}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    threads: max(1, (workflow.cores or 2) // 2)
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=720,
        gpu=lambda wildcards: CONFIG.models[wildcards.model].training.gpus,
    params:
        settings=lambda wildcards: CONFIG.models[wildcards.model].model_dump_json(
            exclude={"sampling"}
        ),
        embedding=lambda wildcards: [
            f"--embedding-model {folder}"
            for folder in PLAN.embedding_model(wildcards.model)
        ],
        processes=lambda wildcards: CONFIG.models[wildcards.model].training.gpus,
        seed=CONFIG.seed,
        folder=subpath(output.weights, parent=True),
        checkpoints=f"{RESULTS}/models/.states",
        code=PLAN.code("train"),
    shell:
        "python workflow/scripts/train.py --dataset {input.dataset:q} --model {wildcards.model}"
        " --settings {params.settings:q} --seed {params.seed} {params.embedding}"
        " --processes {params.processes} --threads {threads}"
        " --checkpoints {params.checkpoints:q} --output {params.folder:q}"
        " > {log:q} 2>&1"


rule sample_shard:
    """Generate a shard of a model's images: one set with the class mix, one balanced."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        config=f"{RESULTS}/models/{{model}}/config.json",
        weights=f"{RESULTS}/models/{{model}}/weights.safetensors",
    output:
        samples=f"{RESULTS}/samples/shards/{{model}}/{{shard}}.h5",
    log:
        f"{RESULTS}/logs/sample_{{model}}_{{shard}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_{{model}}_{{shard}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    threads: max(1, (workflow.cores or 2) // 2)
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=240,
        gpu=1,
    params:
        settings=lambda wildcards: CONFIG.models[
            wildcards.model
        ].sampling.model_dump_json(),
        seed=CONFIG.seed,
        folder=subpath(input.weights, parent=True),
        code=PLAN.code("sample"),
    shell:
        "python workflow/scripts/sample.py --model {params.folder:q} --dataset {input.dataset:q}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads}"
        " --shard {wildcards.shard} --output {output.samples:q}"
        " > {log:q} 2>&1"


rule sample:
    """Join the shards of a model's images."""
    input:
        shards=lambda wildcards: [
            f"{RESULTS}/samples/shards/{wildcards.model}/{shard}.h5"
            for shard in range(CONFIG.models[wildcards.model].sampling.shards)
        ],
    output:
        samples=f"{RESULTS}/samples/{{model}}.h5",
    log:
        f"{RESULTS}/logs/sample_{{model}}.log",
    localrule: True
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=20,
    params:
        code=PLAN.code("join_samples"),
    shell:
        "python workflow/scripts/join_samples.py --shards {input.shards:q}"
        " --output {output.samples:q}"
        " > {log:q} 2>&1"


rule sample_flux_response:
    """Generate images on a grid of X-ray fluxes, with the same seeds at each flux."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        config=f"{RESULTS}/models/{{model}}/config.json",
        weights=f"{RESULTS}/models/{{model}}/weights.safetensors",
    output:
        samples=f"{RESULTS}/samples/flux_response/{{model}}.h5",
    log:
        f"{RESULTS}/logs/sample_flux_response_{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_flux_response_{{model}}.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    threads: max(1, (workflow.cores or 2) // 2)
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=240,
        gpu=1,
    params:
        sampling=lambda wildcards: CONFIG.models[
            wildcards.model
        ].sampling.model_dump_json(),
        fluxes=CONFIG.evaluation.flux_response.fluxes,
        images=CONFIG.evaluation.flux_response.images,
        seed=CONFIG.seed,
        folder=subpath(input.weights, parent=True),
        code=PLAN.code("sample_flux_response"),
    shell:
        "python workflow/scripts/sample_flux_response.py --model {params.folder:q}"
        " --dataset {input.dataset:q} --sampling {params.sampling:q}"
        " --fluxes {params.fluxes} --images {params.images}"
        " --seed {params.seed} --threads {threads} --output {output.samples:q}"
        " > {log:q} 2>&1"
