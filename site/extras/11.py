for name, about in {
    "Recurrent GAN": "Two bars from random numbers, beat by beat, by an LSTM trained against a discriminator.",
    "Convolutional GAN": "Two bars from random numbers by layers that double the time, against a discriminator.",
}.items():
    site_gallery(
        name,
        about,
        sets["LSTM GAN" if name == "Recurrent GAN" else "convolutional GAN"],
        real,
        BPM,
        (name, "Two bars of a held-out chorale"),
    )
site_round("Recurrent GAN (lesson 11)", sets["LSTM GAN"][1], real[4], BPM)
site_round("Convolutional GAN (lesson 11)", sets["convolutional GAN"][1], real[6], BPM)
