site_gallery(
    "Harmonise and compose",
    "Given is Bach's soprano. The inpainting network writes the other voices and rewrites them in sixty sweeps.",
    by_strictness[2.5],
    real,
    BPM,
    ("A harmonisation by the inpainting network", "Bach's harmonisation"),
    (0, 0),
)
for i in (1, 2):  # consecutive, not picked
    site_round(
        "Inpainting network, to Bach's soprano (lesson 16)", by_strictness[2.5][i], real[i], BPM
    )
