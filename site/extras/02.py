site_gallery(
    "Markov chain",
    f"A chain of order {ORDER}: each note is drawn after the last {ORDER}, counted in some 300 chorale melodies.",
    generated,
    real,
    BPM,
    (f"Markov chain of order {ORDER}", "A held-out chorale melody"),
    (0, 1),
)
site_round("Markov chain (lesson 02)", generated[1], real[3], BPM)
site_slider(
    "temperature",
    "Temperature",
    "The same chain draws four melodies with the same seed at each temperature; this is the first of them.",
    [
        (
            f"{tau:g}",
            generate(chain, tau, 4)[0],
            BPM,
            [
                [
                    "nats per note that the chain gives it",
                    f"{chain.nll(notes(generate(chain, tau, 4)[:1])):.2f}",
                ]
            ],
        )
        for tau in (0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0)
    ],
)
