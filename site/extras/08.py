site_gallery(
    "Four voices, note by note",
    "A recurrent network (GRU) outputs soprano, bass, alto and tenor of each 16th in turn, with a learned table of "
    "counterpoint. Beats, fermatas and the last phrase are those of a test chorale, whose notes it does not see.",
    free,
    real,
    BPM,
    ("Four voices, note by note", "What Bach wrote on the same form"),
    (CHOICE, CHOICE),
    max_bars=8,  # it stands on the front page
)
for i in range(3):  # consecutive, not picked
    site_round("Four voices, note by note (lesson 08)", free[i], real[i], BPM)
