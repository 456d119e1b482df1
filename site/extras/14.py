site_gallery(
    "RNN-RBM",
    "A recurrent network sets the biases of a Boltzmann machine before every quarter note.",
    written["RNN-RBM"],
    written["Held-out Bach"],
    BPM,
    ("RNN-RBM", "A held-out chorale, one chord per quarter"),
)
site_round("RNN-RBM (lesson 14)", written["RNN-RBM"][1], written["Held-out Bach"][2], BPM)
site_round(
    "Chords, note by note (lessons 08 and 14)",
    written["Note by note"][0],
    written["Held-out Bach"][4],
    BPM,
)
