site_which = [piece.bwv for piece in sopranos].index(chorale.bwv)
site_gallery(
    "Sequence to sequence",
    "Given is Bach's soprano. One frame-aligned LSTM after another writes bass, alto and tenor to it.",
    choirs["free"],
    sopranos,
    72,
    ("A harmonisation by three networks", "Bach's harmonisation"),
    (site_which, site_which),
)
for i in range(2):  # consecutive, not picked
    site_round(
        "Sequence to sequence, to Bach's soprano (lesson 09)", choirs["free"][i], sopranos[i], 72
    )
