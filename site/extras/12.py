site_gallery(
    "Restricted Boltzmann machine",
    "Outer voices: Bach. The two inner voices of each chord were completed by Gibbs sampling.",
    [filled],
    [hear(asked[ok], "Bach")],
    BPM,
    ("Inner voices by the machine", "All four voices by Bach"),
)
site_round(
    "Restricted Boltzmann machine, inner voices (lesson 12)", filled, hear(asked[ok], "Bach"), BPM
)
