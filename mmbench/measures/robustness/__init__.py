"""How much of a method's performance is left when its inputs are corrupted."""
