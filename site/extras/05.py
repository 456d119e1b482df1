site_gallery(
    "Variational autoencoder",
    f"Two bars from 48 random numbers, with beta = {LISTEN:g}: codes drawn from the prior, decoded voice by voice.",
    mine,
    real,
    66,
    (f"Variational autoencoder, beta = {LISTEN:g}", "Two bars of a held-out chorale"),
    (PICK, A),
)
for i, j in ((5, 40), (11, 90)):
    site_round("Variational autoencoder (lesson 05)", drawn[f"beta {max(BETAS):g}"][i], real[j], 66)
site_slider(
    "beta",
    "Beta",
    "One window drawn with the same random numbers from three models, each trained with its own beta.",
    [
        (
            f"{b:g}",
            drawn[f"beta {b:g}"][PICK],
            66,
            [["F1 of rebuilding held-out windows", f"{f1[f'beta {b:g}']:.2f}"]],
        )
        for b in BETAS
    ],
)
site_slider(
    "map",
    "Direction on the map, degrees",
    "Eight codes of two numbers on a circle of radius 1.5, decoded: the key changes with the direction.",
    [(f"{degrees}", at(degrees), 66, []) for degrees in range(0, 360, 45)],
)
site_steps = two_bars.to_pieces(vae.interpolate(x_test[A], x_test[B], n=9))
site_slider(
    "walk",
    "Place on the walk",
    "Nine stops on the straight line between the codes of two held-out windows: 0 and 1 are these, rebuilt.",
    [(f"{k / 8:g}", piece, 66, []) for k, piece in enumerate(site_steps)],
)
