"""Status + now -> what light and buzzer do, as pure patterns; the hal only carries it out."""
