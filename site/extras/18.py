site_gallery(
    "A hummed melody, harmonised and played by an invented instrument",
    "A melody is read from a sound file, the inpainting network writes three voices below it, and an instrument "
    "between flute and plucked string, decoded from two numbers, plays them.",
    [four_voices],
    [opening],
    BPM,
    ("Harmonised and played by models", "The opening of a test chorale, on the course's organ"),
)
site_found["gallery"][-1]["generated"]["player"] = show.sound(
    in_new_timbre, NOTE_RATE, title="Harmonised and played by models"
).html
site_stops = []
for site_place in (0.0, 0.25, 0.5, 0.75, 1.0):
    site_z = (1 - site_place) * flute + site_place * plucked
    site_levels = vae.decode(site_z[None], np.array([60]))[0]  # (16, 24)
    site_power = 10 * np.log10((10 ** (site_levels / 10)).sum(axis=1))  # (16,) dB
    site_stops.append(
        {
            "value": f"{site_place:g}",
            "title": f"Place {site_place:g}",
            "player": at(site_place).html,
            "score": "",
            "measures": [["C4 after one second, dB", f"{int(site_power[14] - site_power.max())}"]],
        }
    )
site_found["sliders"].append(
    {
        "key": "timbre",
        "label": "Place between flute and plucked string",
        "about": "Five places on the line between the centres of two families on the map of timbres, each as C E G C.",
        "stops": site_stops,
    }
)
