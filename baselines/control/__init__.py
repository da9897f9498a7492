"""Learning to act: episodes side by side, Q-learning by table, by network and by spiking network."""
