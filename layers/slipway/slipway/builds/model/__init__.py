"""Contracts written by a language model."""
