site_gallery(
    "A chorale's melody as a dance",
    "A Markov chain of jigs runs through the notes of a chorale's melody, which stand on the beats.",
    settings["jig"],
    halves["jig"][1],
    160,
    ("A chorale's melody as a jig", "A jig of Ryan's Mammoth Collection"),
    (PICK, 0),
    8,
)
site_gallery(
    "A jig as a chorale",
    "The notes on the beats of a jig are a slow melody; the inpainting network writes three voices below it.",
    back,
    forms,
    80,
    ("A jig as a chorale", "A chorale of the test set"),
)
for i in (2, 9):
    site_round(
        "A chorale's melody as a reel (lesson 16b)",
        settings["reel, w = 0"][i],
        halves["reel"][1][i],
        100,
    )
