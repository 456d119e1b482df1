for i in range(4):
    site_round("Four voices, note by note (lessons 08 and 17)", written[i], forms[i], BPM)
