"""For tests of plugins: samples of every kind."""
