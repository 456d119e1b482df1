"""RNN and LSTM in NumPy and Keras, models of melodies, chords, four voices, accompaniment."""
