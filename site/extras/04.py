site_gallery(
    "Autoencoder",
    "Random numbers in place of a code, decoded by an autoencoder that was trained to reconstruct only.",
    noise,
    held_out,
    66,
    ("Decoded noise", "Two bars of a held-out chorale"),
)
