site_gallery(
    "Dense GAN",
    f"Two bars from {LATENT} random numbers by a generator trained against a discriminator.",
    written,
    real,
    66,
    ("Dense GAN", "Two bars of a held-out chorale"),
    (0, 3),
)
site_round("Dense GAN (lesson 10)", written[2], real[5], 66)
