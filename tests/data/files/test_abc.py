"""ABC notation: notes by hand, after the standard; every refusal is named and quick."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musiclab.data import read_music
from musiclab.data.files.abc import parse_abc
from musiclab.data.files.storage import DataError

HEAD = "X:1\nT:Test\nM:4/4\nL:1/4\n"


def parse(music, key="C", head=HEAD):
    return parse_abc(f"{head}K:{key}\n{music}\n".encode())


def pitches(*arguments, **options):
    """The pitches of each part."""
    music = parse(*arguments, **options)
    return [[note.pitch for note in part.notes] for part in music.parts]


def times(music, **options):
    """Start and length of each note of the first part, in quarters."""
    notes = parse(music, **options).parts[0].notes
    return [(float(note.start / 4), float((note.stop - note.start) / 4)) for note in notes]


PITCHES = {  # music: pitches of the only part
    "octaves": ("C, C c c'", [48, 60, 72, 84]),
    "accidental to the bar line": ("^GAGA|G", [68, 69, 68, 69, 67]),
    "accidental in all octaves": ("^GgG,|g", [68, 80, 56, 79]),
    "natural": ("_B=BB", [70, 71, 71]),
    "double": ("^^F__BF", [67, 69, 67]),
    "over a tie": ("^G-|GG", [68, 67]),
    "a tie does not alter the bar after": ("_E4-|E2 E2|", [63, 64]),
    "enharmonic tie": ("^C-_D", [61]),
    "a tie to another pitch is a slur": ("C-D", [60, 62]),
    "accidental of a grace note": ("{^g}agG", [81, 79, 67]),
    "grace notes": ("{cd}e{/f}g", [76, 79]),
    "chord symbols and annotations": ('"Am"A">"B"<("c"\\"^"d', [69, 71, 72, 74]),
    "decorations": ("!f!C!>!D~E.FHGvAuB Tc!fermat:a!d+trill+e", [60, 62, 64, 65, 67, 69, 71, 72, 74, 76]),
    "old line breaks": ("CD|!EF|!\nGA", [60, 62, 64, 65, 67, 69]),
    "double repeat": ("CDE::F|G:|:A::|", [60, 62, 64, 65, 67, 69]),
    "endings": ("C|1D:|2E|[1F:|[2G|1,3A|]", [60, 62, 64, 65, 67, 69]),
    "ending at the start of a line": ("CD|\n1 E:|\n2 F|", [60, 62, 64, 65]),
    "a named ending": ('C|["last time" D|]', [60, 62]),
    "inline key": ("FC|[K:D]FC", [65, 60, 66, 61]),
    "key in a line": ("F\nK:Bb\nB\nK:none\nB", [65, 70, 71]),
    "octave= in a line": ("c\nK:octave=-1\nc", [72, 60]),
    "music that looks like a field": ("F2\nG:|\nA|", [65, 67, 69]),
    "comment": ("CD % EF 1999\n% in 1850\nE", [60, 62, 64]),
    "directive": ("%%scale 0.7500\nC", [60]),
    "block of text": ("C\n%%begintext\nABC DEF\n%%endtext\nD", [60, 62]),
    "lyrics and remarks": ("C\nw: la la\nN:DEF\nr:AB\nD[r:EF]", [60, 62]),
    "spacers and reserved characters": ("C y D ` E * F $", [60, 62, 64, 65]),
    "spaces in notes": ("c 2 d 2|^ e 3 f", [72, 74, 77, 77]),
    "e-mail's marks": ("CD =20\nE =\n=3DF", [60, 62, 64, 65]),
    "octave alone": ("%%propagate-accidentals octave\n^FfF", [66, 77, 66]),
    "unbarred": ("%%MIDI nobarlines\n^FF", [66, 65]),
    "transposed in playing": ("C\n%%MIDI transpose -12\nC", [60, 48]),
    "note alone": ("[I:propagate-accidentals not]^FF", [66, 65]),
}  # fmt: skip


@pytest.mark.parametrize("case", PITCHES)
def test_pitches_by_hand(case):
    music, expected = PITCHES[case]
    assert pitches(music) == [expected]


KEYS = {  # key: pitches of C D E F G A B
    "": [60, 62, 64, 65, 67, 69, 71],
    "Gm": [60, 62, 63, 65, 67, 69, 70],
    "F# minor": [61, 62, 64, 66, 68, 69, 71],
    "C#": [61, 63, 65, 66, 68, 70, 72],
    "Gb": [59, 61, 63, 65, 66, 68, 70],
    "A Mixolydian": [61, 62, 64, 66, 67, 69, 71],
    "ddor": [60, 62, 64, 65, 67, 69, 71],
    "Ephr": [60, 62, 64, 65, 67, 69, 71],
    "FLydian": [60, 62, 64, 65, 67, 69, 71],
    "B loc": [60, 62, 64, 65, 67, 69, 71],
    "D=c": [60, 62, 64, 66, 67, 69, 71],
    "Dmix^g": [60, 62, 64, 66, 68, 69, 71],
    "D Phr ^f": [60, 62, 63, 66, 67, 69, 70],
    "D exp _b _e ^f": [60, 62, 63, 66, 67, 69, 70],
    "^f_b": [60, 62, 64, 66, 67, 69, 70],
    "HP": [61, 62, 64, 66, 67, 69, 71],
    "G#": [61, 63, 65, 67, 68, 70, 72],
    "C bass": [60, 62, 64, 65, 67, 69, 71],
    "C clef=treble-8": [48, 50, 52, 53, 55, 57, 59],
    "C octave=1": [72, 74, 76, 77, 79, 81, 83],
    "C transpose=-2": [58, 60, 62, 63, 65, 67, 69],
}


@pytest.mark.parametrize("key", KEYS)
def test_keys_by_hand(key):
    assert pitches("CDEFGAB", key=key) == [KEYS[key]]


TIMES = {  # music: start and length in quarters
    "lengths": ("C2D/E//F3/2G/4", [(0, 2), (2, 0.5), (2.5, 0.25), (2.75, 1.5), (4.25, 0.25)]),
    "dotted": ("C>D E<<F", [(0, 1.5), (1.5, 0.5), (2, 0.25), (2.25, 1.75)]),
    "dotted and staccato": ("C>.D .E > vF", [(0, 1.5), (1.5, 0.5), (2, 1.5), (3.5, 0.5)]),
    "dotted rest": ("C>z D", [(0, 1.5), (2, 1)]),
    "dotted, unequal": ("C2>D", [(0, 2), (2, 1)]),
    "rests": ("Cz/2Dx2E", [(0, 1), (1.5, 1), (4.5, 1)]),
    "bars of rest": ("C4|Z|Z2|D", [(0, 4), (16, 1)]),
    "tie": ("C-C2|C4-|C", [(0, 3), (3, 5)]),
    "inline unit": ("C[L:1/8]C\nL:1/2\nC", [(0, 1), (1, 0.5), (1.5, 2)]),
    "four in three": ("(4:3:4CDEF G", [(0, 0.75), (0.75, 0.75), (1.5, 0.75), (2.25, 0.75), (3, 1)]),
    "a tuplet of two notes": ("(3:2:2C2D E", [(0, 4 / 3), (4 / 3, 2 / 3), (2, 1)]),
    "duplet in 4/4": ("(2CD E", [(0, 1.5), (1.5, 1.5), (3, 1)]),
    "tuplet with a rest": ("(3CzD E", [(0, 2 / 3), (4 / 3, 2 / 3), (2, 1)]),
}  # fmt: skip


@pytest.mark.parametrize("case", TIMES)
def test_times_by_hand(case):
    music, expected = TIMES[case]
    assert times(music) == [pytest.approx(pair) for pair in expected]


def test_five_notes_take_the_time_of_three_in_compound_time():
    assert times("(5CDEFG A", head="M:6/8\nL:1/4\n")[-1] == (3, 1)
    assert times("(5CDEFG A")[-1] == (2, 1)


@pytest.mark.parametrize(
    ("head", "length"),
    [("", 0.5), ("M:4/4\n", 0.5), ("M:3/4\n", 0.5), ("M:2/4\n", 0.25), ("M:none\n", 0.5),
     ("M:6/8\nL:1/16\n", 0.25)],
)  # fmt: skip
def test_the_unit_length_follows_from_the_metre(head, length):
    assert times("C", head=head) == [(0, length)]


@pytest.mark.parametrize(
    ("metre", "signature", "bar"),
    [("C", "4/4", 16), ("C|", "2/2", 16), ("2+3/8", "5/8", 10), ("(2+2+3)/8", "7/8", 14)],
)
def test_metres_by_hand(metre, signature, bar):
    music = parse("C", head=f"M:{metre} % of 1999\n")
    assert (music.attributes["time_signature"], music.bars[0].nominal) == (signature, bar)


def test_chords():
    music = parse('[CEG]2 [C-E]C [_BdF]/ +ceg+ [!1!C"x"E2]>D')
    notes = [(float(n.start / 4), float(n.stop / 4), n.pitch) for n in music.parts[0].notes]
    assert notes == [
        *((0, 2, pitch) for pitch in (60, 64, 67)), (2, 4, 60), (2, 3, 64),
        *((4, 4.5, pitch) for pitch in (70, 74, 65)), *((4.5, 5.5, pitch) for pitch in (72, 76, 79)),
        (5.5, 7, 60), (5.5, 7, 64), (7, 7.5, 62),
    ]  # fmt: skip


VOICES = {
    "declared in the header": 'V:1 name="Flute"\nV:2 clef=bass octave=-1\nK:C\n[V:1]cd|\n[V:2]C2|',
    "line by line": "K:C\nV:1\ncd|\nV:2 octave=-1\nC2|",
    "in turns": "K:C\nV:1\nc|\nV:2 octave=-1\nC|\nV:1\nd|\nV:2\n[L:1/4]C|",
    "overlay": "K:C\ncd&C,2|",
}


@pytest.mark.parametrize("case", VOICES)
def test_voices_sound_together(tmp_path, case):
    (tmp_path / "two.abc").write_text(f"X:1\nL:1/4\n{VOICES[case]}\n", encoding="utf-8")
    piece = read_music(tmp_path / "two.abc")
    assert piece.voices[:, 0].tolist() == [72] * 4 + [74] * 4
    assert piece.voices[:, 1].tolist() == [48] * 8


def test_a_voice_has_its_own_key_and_accidentals():
    assert pitches("V:1\n^CF[K:G]F|\nV:2\nCF|") == [[61, 65, 66], [60, 65]]


def test_bars_of_voices_start_together_even_if_one_is_too_short():
    music = parse("V:1\nCDE|F4|\nV:2\nC4|F4|")
    assert [part.notes[-1].start for part in music.parts] == [16, 16]


def test_percussion_is_left_out():
    music = parse("V:1\nCD\nV:2 clef=perc\nEF")
    assert (len(music.parts), music.drums) == (1, 2)


def test_metre_pickup_key_and_fermata(tmp_path):
    text = "X:4\nT:Air\\n\x07\nR:jig\nQ:3/8=40\nM:6/8\nL:1/8\nK:Edor\nB|E2E F2F|HE3 E2:|\n"
    (tmp_path / "a.abc").write_text(text, encoding="utf-8")
    piece = read_music(tmp_path / "a.abc")
    assert (piece.name, piece.time_signature, piece.pickup) == ("Air\\n", "6/8", 2)
    assert (piece.tonic, piece.mode, piece.key_signature) == (4, "minor", 2)
    assert piece.fermatas.nonzero()[0].tolist() == [14]
    assert piece.report.bpm == 60
    assert piece.spelling[8, 0] == 6  # F sharp


COLLECTION = (
    "% a file\nM:4/4\n\nX:2\nT:Two\nK:C\nL:1/4\nC\n\nNot music: D|E\n\nX:5\nT:Five\nK:C\nL:1/4\nE\n"
)


def test_a_collection_by_number(tmp_path):
    file = tmp_path / "tunes.abc"
    file.write_text(COLLECTION, encoding="utf-8")
    assert read_music(file, tune=5).name == "Five"
    assert read_music(file, tune=2).voices.ravel().tolist() == [60] * 4
    with pytest.raises(DataError, match=r"tunes.abc: it holds 2 tunes.*tune=2: 2 Two; 5 Five"):
        read_music(file)
    with pytest.raises(DataError, match=r"tune=3 is not there: 2 Two; 5 Five"):
        read_music(file, tune=3)


def test_tunes_with_one_number_are_counted(tmp_path):
    file = tmp_path / "tunes.abc"
    file.write_text(COLLECTION.replace("X:5", "X:2"), encoding="utf-8")
    assert [read_music(file, tune=place).name for place in (1, 2)] == ["Two", "Five"]


def test_a_long_list_of_tunes_is_cut(tmp_path):
    text = "\n".join(f"X:{n}\nT:Tune\nK:C\nC\n" for n in range(1, 1001))
    with pytest.raises(DataError, match="and 970 more") as raised:
        parse_abc(text.encode())
    assert len(str(raised.value)) < 1000


def test_encodings_and_line_ends():
    assert parse_abc("\ufeffX:1\nT:Sí\nK:C\nC".encode()).attributes["name"] == "Sí"
    assert parse_abc("X:1\nT:Sí\nK:C\nC".encode("cp1252")).attributes["name"] == "Sí"
    assert len(parse_abc(b"X:1\r\nL:1/4\r\nK:C\r\nCD\r\nEF\r\n").parts[0].notes) == 4
    assert len(parse_abc(b"X:1\rK:C\rCD\r").parts[0].notes) == 2


REFUSED = {
    "metre": ("M:50x50/4\nK:C\nC", "line 1: M:50x50/4 is no metre"),
    "metre of 0": ("M:0/4\nK:C\nC", "above 64, or 0"),
    "beat": ("M:3/32\nK:C\nC", "of a whole note"),
    "unit": ("L:1/128\nK:C\nC", "above 64, or 0"),
    "unit word": ("L:eighth\nK:C\nC", "is no note length"),
    "key": ("K:Moll\nC", "names no key"),
    "stray letter": ("K:C\nCD é EF", "'é EF' is not ABC"),
    "control characters": ("K:C\nCD[\x01\x02" + "A" * 900, r"is not ABC"),
    "chord": ("K:C\n[C*E]", "is no chord"),
    "quotation mark": ('K:C\nCD"Am EF', "without its partner"),
    "microtone": ("K:C\n^3/2C", "between the keys"),
    "too high": ("K:C\nc''''''", "beyond the MIDI pitches"),
    "length": ("K:C\nC12345", "four or more digits"),
    "length 0": ("K:C\nC0", "a note length of 0"),
    "tuplet": ("K:C\n(0CD", "1 to 64 notes"),
    "rest": ("K:C\nZ0", "1 to 999 bars"),
    "long rest": ("M:64/1\nK:C\n" + "Z999|" * 99 + "C", "16ths"),
    "broken": ("K:C\nC>>>>D", "broken rhythm"),
    "macro": ("m: n2 = (3n/o/n/ n\nK:C\nn2", "macro"),
    "transpose": ("K:C transpose=many\nC", "is no number"),
    "no notes": ("K:C\nz4|", "no notes"),
    "only drums": ("K:C perc\nC4|", "drums"),
    "many voices": ("K:C\n" + "".join(f"[V:{n}]C" for n in range(99)), "more than 32 voices"),
    "many notes": ("K:C\n" + "C" * 60_000, "notes"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_named_at_once(case):
    text, message = REFUSED[case]
    started = time.process_time()
    with pytest.raises(DataError, match=message) as raised:
        parse_abc(text.encode())
    assert time.process_time() - started < 3
    assert len(str(raised.value)) < 160
    assert str(raised.value).isprintable()


@settings(max_examples=300, deadline=2_000)
@given(st.text("ABCdefg^_=zZ[](){}|:1234/<>-\"!+&,' \n\\%V:K:M:L:X:xy~HT", max_size=60))
def test_any_music_is_read_or_refused(music):
    try:
        parsed = parse(music)
    except DataError:
        return
    end = sum(bar.length for bar in parsed.bars)
    for part in parsed.parts:
        assert all(0 <= note.start < note.stop <= end for note in part.notes)
        assert all(isinstance(note.start, Fraction) for note in part.notes)
