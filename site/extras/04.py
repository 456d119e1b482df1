site_gallery(
    "Autoencoder",
    "Random numbers in place of a code, decoded: what an autoencoder writes that was only taught to rebuild.",
    noise,
    held_out,
    66,
    ("Decoded noise", "Two bars of a held-out chorale"),
)
