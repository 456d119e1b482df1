"""Lessons 06 to 09: RNN and LSTM in NumPy and Keras, models of melodies, chords and four voices, encoder-decoder."""
