"""`make deploy`, `make destroy`, `make smoke`: an installation on AWS, from one file and secrets of the environment."""
