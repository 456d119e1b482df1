site_gallery(
    "Recurrent network",
    f"{UNITS} hidden numbers carried from note to note; trained live in the lesson.",
    written,
    tests,
    BPM,
    ("Recurrent network", "A held-out chorale melody"),
    (0, 1),
)
site_round("Recurrent network (lesson 06)", written[1], tests[4], BPM)
