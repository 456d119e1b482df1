for i in range(4):
    site_round("Four voices, note by note (lessons 08 and 17)", written[i], forms[i], BPM)
site_gallery(
    "Bach's bars in random order",
    "Every note is Bach's, in units of four bars whose order is random. No row of the report of measures objects.",
    quilts,
    common,
    BPM,
    ("Four-bar units in random order", "The same chorale as it is"),
)
