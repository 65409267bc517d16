"""From sound to utterances: the gate, the segmenter, the frames, the turn."""
