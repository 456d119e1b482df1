"""Music files in and out (MIDI, MusicXML, ABC), the note grid they meet on, and checksummed storage."""
