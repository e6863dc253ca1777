"""What each modality contributes to a method's score."""
