"""What may be spent of the operator's money: ceilings for one thing, for what is open at once, and for a day."""
