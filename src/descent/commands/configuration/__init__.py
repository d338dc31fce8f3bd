"""Configuration of `descent-train`, read by Hydra."""
