site_gallery(
    "Counted keys",
    "Machine 2 of the lesson: each voice draws its keys as often as Bach used them, every quarter anew.",
    [counted],
    [opening],
    BPM,
    ("Keys drawn by how often Bach used them", "Bach: O Haupt voll Blut und Wunden"),
)
site_round("Bach's own chords in any order (lesson 00)", shuffled, opening, BPM)
