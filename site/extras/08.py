site_gallery(
    "Four voices, note by note",
    "A recurrent network (GRU) says soprano, bass, alto and tenor of each 16th in turn. Beats and fermatas are "
    "borrowed from a held-out chorale, whose notes it does not see; a mask forbids parallel fifths and octaves.",
    strict,
    real,
    BPM,
    ("Four voices, note by note", "What Bach wrote on the same form"),
    (CHOICE, CHOICE),
    max_bars=8,  # it stands on the front page
)
for i in (0, 1, 3):
    site_round("Four voices, note by note (lesson 08)", strict[i], real[i], BPM)
