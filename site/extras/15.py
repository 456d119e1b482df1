site_gallery(
    "Transformer of four voices",
    "Attention over the notes so far outputs soprano, bass, alto and tenor of each 16th in turn. "
    "Beats, fermatas and the last phrase are those of a test chorale, whose notes it does not see.",
    written,
    real,
    BPM,
    ("Written by the Transformer", "What Bach wrote on the same form"),
    (0, 0),
    8,
)
for i in range(1, 4):  # consecutive, not picked
    site_round("Transformer of four voices (lesson 15)", written[i], real[i], BPM)
