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
for site_at, site_gate in enumerate(("forget", "input", "output")):
    site_stops = []
    for site_level in (0.0, 0.2, 0.5, 0.8, 1.0):
        site_levels = [0.8, 1.0, 1.0]
        site_levels[site_at] = site_level
        site_cells, site_output = remember(*site_levels)
        site_title = f"{site_gate.capitalize()} gate {site_level:g}"
        site_cell = ", ".join(f"{cell:.2f}" for cell in site_cells[:, 0])
        site_stops.append(
            {
                "value": f"{site_level:g}",
                "player": site_show.play(as_music(site_output), bpm=BPM, title=site_title).html,
                "score": "",  # which would not show how loud a note is
                "measures": [["cell of the C, quarter by quarter", site_cell]],
            }
        )
    site_found["sliders"].append(
        {
            "key": f"{site_gate}-gate",
            "label": f"{site_gate.capitalize()} gate",
            "about": "C, E and G, then silence. Each quarter's chord is what the three units show, "
            "each note as loud as its output. The other gates: forget 0.8, input and output 1.",
            "stops": site_stops,
        }
    )
