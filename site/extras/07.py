site_gallery(
    "Long short-term memory",
    f"Three LSTM layers of 80 units, drawn at temperature {TAUS[-1]:g}.",
    pieces,
    tests,
    BPM,
    ("Three LSTM layers", "A held-out chorale melody"),
    (0, 1),
)
site_round("LSTM (lesson 07)", pieces[1], tests[2], BPM)
site_round("LSTM (lesson 07)", pieces[2], tests[5], BPM)
