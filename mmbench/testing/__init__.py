"""For tests of plugins: samples of every kind, and the contract that every method keeps."""
