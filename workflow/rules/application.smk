# The downstream task: classification with and without generated images.


rule application:
    """Compare a DeiT classifier trained from scratch with and without generated images."""
    input:
        dataset=f"{RESULTS}/dataset/dataset.h5",
        samples=f"{RESULTS}/samples/{CONFIG.application.model}.h5",
    output:
        accuracy=f"{RESULTS}/application/accuracy.csv",
        summary=f"{RESULTS}/application/summary.json",
    log:
        f"{RESULTS}/logs/application.log",
    benchmark:
        f"{RESULTS}/benchmarks/application.tsv"
    conda:
        "../../envs/heliosynth.yaml"
    resources:
        mem_mb=memory_per_attempt(4000),
        runtime=240,
        gpu=1,
    params:
        settings=CONFIG.application.model_dump_json(),
        seed=CONFIG.seed,
        code=PLAN.code("application"),
    shell:
        "python workflow/scripts/application.py --dataset {input.dataset:q}"
        " --samples {input.samples:q} --settings {params.settings:q} --seed {params.seed}"
        " --accuracy {output.accuracy:q} --summary {output.summary:q}"
        " > {log:q} 2>&1"
