site_gallery(
    "Four voices, fine-tuned on twenty pieces",
    "The four-voice network of lesson 08, trained further on twenty pieces whose lower voices strike every eighth. "
    "Beats, fermatas and the last phrase are those of a test chorale, whose notes it does not see.",
    written["all weights"],
    own[:4],
    BPM,
    ("Four voices, fine-tuned on twenty pieces", "A piece of the twenty"),
)
