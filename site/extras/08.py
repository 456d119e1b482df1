site_gallery(
    "Four voices, note by note",
    "A GRU says soprano, bass, alto and tenor of each 16th in turn; beats and fermatas are borrowed from a held-out "
    "chorale, and a mask forbids parallel fifths and octaves.",
    strict,
    real,
    BPM,
    ("Four voices, note by note", "What Bach wrote on the same form"),
    (CHOICE, CHOICE),
)
for i in (0, 1, 3):
    site_round("Four voices, note by note (lesson 08)", strict[i], real[i], BPM)
