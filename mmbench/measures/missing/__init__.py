"""What a method does when modalities are missing."""
